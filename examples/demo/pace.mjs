// @ts-check
import { setImmediate, setTimeout } from 'node:timers/promises';
import { BATCH_ROWS } from './publisher.mjs';

/** Timers, signals and the display get their turn between two slices. */
const SLICE_MS = 8;
const REST_MAX_MS = 1000;

/**
 * Publishes at `rate` records per second until the source is at its end or the signal is aborted.
 *
 * @param {import('./publisher.mjs').Publisher} publisher
 * @param {number} rate
 * @param {AbortSignal} signal
 */
export async function publishPaced(publisher, rate, signal) {
  const start = performance.now();
  const dueNow = () =>
    rate === Infinity ? Infinity : Math.floor(((performance.now() - start) * rate) / 1000) + 1;
  while (!signal.aborted) {
    if (!publishSlice(publisher, dueNow())) return;
    const nextDueAt = start + (publisher.written / rate) * 1000;
    await rest(nextDueAt - performance.now(), signal);
  }
}

/**
 * Publishes until `due` records are written or the slice is over. Returns false at the end of the source.
 *
 * @param {import('./publisher.mjs').Publisher} publisher
 * @param {number} due
 * @returns {boolean}
 */
function publishSlice(publisher, due) {
  const sliceEnd = performance.now() + SLICE_MS;
  while (publisher.written < due && performance.now() < sliceEnd) {
    const wanted = Math.min(BATCH_ROWS, due - publisher.written);
    if (publisher.publish(wanted) < wanted) return false;
  }
  return true;
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
async function rest(ms, signal) {
  if (ms <= 0) return setImmediate();
  // An aborted rest only ends early; the caller looks at the signal itself.
  await setTimeout(Math.min(ms, REST_MAX_MS), undefined, { signal }).catch(() => {});
}
