/** Names of the loops in leaks.cjs. */
export const synchronous: string[];
export const asynchronous: string[];
