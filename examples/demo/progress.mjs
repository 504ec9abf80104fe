// @ts-check
import { setTimeout } from 'node:timers/promises';

/**
 * @typedef {import('./displays/display.mjs').Display} Display
 * @typedef {import('./displays/display.mjs').View} View
 */

/**
 * Updates the display until the signal is aborted.
 *
 * @param {Display} display
 * @param {() => View} view
 * @param {import('./reader-pool.mjs').ReaderPool} pool
 * @param {AbortSignal} signal
 */
export async function showProgress(display, view, pool, signal) {
  while (!signal.aborted) {
    try {
      await setTimeout(display.periodMs, undefined, { signal });
    } catch {
      return;
    }
    await pool.collect();
    if (!signal.aborted) display.update(view());
  }
}

/**
 * A function that says how things are, and how fast the writer was since it was called last.
 *
 * @param {Pick<View, 'label' | 'fields' | 'column'>} fixed
 * @param {import('atomic-log').AtomicLog<Record<string, number>>} log
 * @param {import('./publisher.mjs').Publisher} publisher
 * @param {import('./reader-pool.mjs').ReaderPool} pool
 * @param {() => number} now
 * @returns {() => View}
 */
export function viewer(fixed, log, publisher, pool, now) {
  const start = now();
  let last = { time: start, written: 0 };
  return () => {
    const time = now();
    const { written } = publisher;
    const perSecond = ((written - last.written) * 1e9) / (time - last.time);
    last = { time, written };
    return {
      ...fixed,
      seconds: (time - start) / 1e9,
      written,
      perSecond,
      stats: log.stats(),
      window: log.endIndex - log.firstIndex,
      reports: pool.reports,
    };
  };
}
