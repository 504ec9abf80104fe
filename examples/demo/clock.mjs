// @ts-check

/**
 * Nanoseconds since `origin`. `process.hrtime` is the same clock in every thread of a process, so a time
 * taken by the writer and one taken by a reader can be subtracted.
 *
 * @param {bigint} origin
 * @returns {() => number}
 */
export function clockSince(origin) {
  return () => Number(process.hrtime.bigint() - origin);
}
