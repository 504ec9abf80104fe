// @ts-check
import { setImmediate, setTimeout } from 'node:timers/promises';
import { BATCH_ROWS } from './publisher.mjs';

/** Timers, signals and the display get their turn between two slices. */
const SLICE_MS = 8;
const REST_MAX_MS = 1000;
const PAUSE_MS = 20;
/** What this thread was too late for by more is left out: readers would lose what comes all at once. */
const CATCH_UP_MS = 100;

/** Publishes at a rate, and can pause. */
export class Pacer {
  isPaused = false;
  #publisher;
  #rate;
  /** When the first record would have been due. */
  #start = performance.now();

  /**
   * @param {import('./publisher.mjs').Publisher} publisher
   * @param {number} rate Records per second; Infinity for as many as possible.
   */
  constructor(publisher, rate) {
    this.#publisher = publisher;
    this.#rate = rate;
  }

  /**
   * Publishes until the source is at its end or the signal is aborted.
   *
   * @param {AbortSignal} signal
   */
  async run(signal) {
    this.#start = performance.now();
    while (!signal.aborted) {
      if (!this.#publishSlice()) return;
      await rest(this.isPaused ? PAUSE_MS : this.#start + this.#dueMs() - performance.now(), signal);
      const lateMs = performance.now() - this.#start - this.#dueMs();
      if (this.isPaused || lateMs > CATCH_UP_MS) this.#start += lateMs;
    }
  }

  /** Milliseconds from the start to the next record. */
  #dueMs() {
    return (this.#publisher.written / this.#rate) * 1000;
  }

  #due() {
    if (this.isPaused) return 0;
    if (this.#rate === Infinity) return Infinity;
    return Math.floor(((performance.now() - this.#start) * this.#rate) / 1000) + 1;
  }

  /** Returns false at the end of the source. */
  #publishSlice() {
    const due = this.#due();
    const sliceEnd = performance.now() + SLICE_MS;
    while (this.#publisher.written < due && performance.now() < sliceEnd) {
      const wanted = Math.min(BATCH_ROWS, due - this.#publisher.written);
      if (this.#publisher.publish(wanted) < wanted) return false;
    }
    return true;
  }
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
