// @ts-check
import { setTimeout } from 'node:timers/promises';

/**
 * Updates the display until the signal is aborted.
 *
 * @param {import('./displays/display.mjs').Display} display
 * @param {import('./live.mjs').Live} live
 * @param {AbortSignal} signal
 */
export async function showProgress(display, live, signal) {
  while (!signal.aborted) {
    try {
      await setTimeout(display.periodMs, undefined, { signal });
    } catch {
      return;
    }
    await live.collect();
    if (!signal.aborted) display.update(live.view());
  }
}
