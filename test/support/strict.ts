/** Whether every log of this run has strict views: `npm run test:strict`. */
export const hasStrictViews = process.env.ATOMIC_LOG_STRICT_VIEWS === '1';

/**
 * For tests of what only ordinary views promise: that mappings are shared and used
 * again, so that memory does not grow in a loop that runs no finalizers.
 */
export const testOfSharedMappings: typeof test = hasStrictViews ? test.skip : test;

/** Entries that a view shows once what it came from has ended: with strict views, none. */
export function lengthAfterEnd(length: number): number {
  return hasStrictViews ? 0 : length;
}
