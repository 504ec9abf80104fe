// @ts-check

/**
 * @typedef {import('./display.mjs').Display} Display
 * @typedef {import('./display.mjs').View} View
 */

/**
 * One JSON object per line, for programs.
 *
 * @returns {Display}
 */
export function showJson() {
  return {
    periodMs: 1000,
    update: (view) => print({ type: 'progress', ...figures(view) }),
    finish(view, { passed, message, problems }) {
      print({ type: 'summary', ...figures(view), check: { passed, problems } });
      // Standard output is for JSON alone.
      console.error(message);
    },
    close() {},
  };
}

/** @param {object} object */
function print(object) {
  console.log(JSON.stringify(object));
}

/** @param {View} view */
function figures({ label, fields, seconds, written, perSecond, stats, window, reports }) {
  return {
    source: label,
    seconds: round(seconds),
    writer: { written, perSecond: round(perSecond) },
    log: {
      window,
      bytes: stats.bytes,
      pinnedBytes: stats.pinnedBytes,
      rolls: stats.rolls,
      recycled: stats.recycled,
    },
    // A reader that has not reported yet is null.
    readers: reports.map((report) => (report === undefined ? null : readerFigures(fields, report))),
  };
}

/**
 * @param {readonly string[]} fields
 * @param {import('../reader.mjs').Report} report
 */
function readerFigures(fields, { seen, lost, perSecond, lag, latency, statistics }) {
  return {
    seen,
    lost,
    lag,
    perSecond: round(perSecond),
    latencyNs: latency,
    columns: Object.fromEntries(fields.map((name, i) => [name, statistics[i]])),
  };
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 1000) / 1000;
}
