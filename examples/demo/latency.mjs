// @ts-check
import { createHistogram } from 'node:perf_hooks';

/**
 * @typedef {object} Percentiles
 * @property {number | null} p50 Nanoseconds; null when nothing was measured.
 * @property {number | null} p99
 */

/** How long records took from their publication until this thread had read and checked them. */
export class LatencyMeter {
  #recent = createHistogram();
  #total = createHistogram();

  /**
   * Records of one publication have one time and become readable together, so they count once.
   *
   * @param {ArrayLike<number>} times
   * @param {number} now
   */
  record(times, now) {
    let previous = NaN;
    for (let i = 0; i < times.length; ++i) {
      const time = times[i];
      if (time === previous) continue;
      previous = time;
      // A histogram takes no values below 1.
      this.#recent.record(Math.max(1, Math.round(now - time)));
    }
  }

  /**
   * Since the last call.
   *
   * @returns {Percentiles}
   */
  takeRecent() {
    const percentiles = percentilesOf(this.#recent);
    this.#total.add(this.#recent);
    this.#recent.reset();
    return percentiles;
  }

  /**
   * Since the beginning.
   *
   * @returns {Percentiles}
   */
  takeTotal() {
    this.takeRecent();
    return percentilesOf(this.#total);
  }
}

/**
 * @param {import('node:perf_hooks').RecordableHistogram} histogram
 * @returns {Percentiles}
 */
function percentilesOf(histogram) {
  if (histogram.count === 0) return { p50: null, p99: null };
  return { p50: histogram.percentile(50), p99: histogram.percentile(99) };
}
