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
function figures({ label, seconds, written, perSecond, costNs, stats, window, readers, receivers }) {
  return {
    source: label,
    seconds: round(seconds),
    writer: { written, perSecond: round(perSecond), costNs: round(costNs.log) },
    log: {
      window,
      bytes: stats.bytes,
      pinnedBytes: stats.pinnedBytes,
      rolls: stats.rolls,
      recycled: stats.recycled,
    },
    // A reader that has not reported yet is null.
    readers: readers.map(({ report }) => (report === undefined ? null : readerFigures(report))),
    // The same records by postMessage; null when they are left out.
    messages:
      receivers.length === 0
        ? null
        : {
            costNs: round(costNs.messages),
            readers: receivers.map(({ report }) => (report === undefined ? null : receiverFigures(report))),
          },
  };
}

/** @param {import('../reader.mjs').Report} report */
function readerFigures(report) {
  return { ...receiverFigures(report), lost: report.lost, columns: report.statistics };
}

/** @param {import('../reader.mjs').Report} report */
function receiverFigures({ seen, lag, perSecond, latency }) {
  return { seen, lag, perSecond: round(perSecond), latencyNs: latency };
}

/** @param {number | null} value */
function round(value) {
  return value === null ? null : Math.round(value * 1000) / 1000;
}
