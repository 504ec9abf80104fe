// @ts-check

/** What the user asked for cannot be done; the message says why, and a stack would not help. */
export class UsageError extends Error {}
