// @ts-check
import { compact, duration, value3, withCommas } from '../format.mjs';

/**
 * @typedef {import('./display.mjs').Display} Display
 * @typedef {import('./display.mjs').View} View
 */

/**
 * One line of text per second, for pipes and files.
 *
 * @returns {Display}
 */
export function showLines() {
  return {
    periodMs: 1000,
    update: (view) => console.log(line(view)),
    finish(view, verdict) {
      console.log(`whole run: ${line(view)}`);
      if (verdict.passed) console.log(verdict.message);
      else console.error(verdict.message);
    },
    close() {},
  };
}

/**
 * @param {View} view
 * @returns {string}
 */
function line(view) {
  const writer = `writer ${compact(view.perSecond)}/s, ${withCommas(view.written)} in total`;
  const readers = view.reports.map((report, i) => `reader ${i + 1}: ${readerText(view, report)}`);
  return [`${view.seconds.toFixed(1)} s`, writer, ...readers].join(' | ');
}

/**
 * @param {View} view
 * @param {import('../reader.mjs').Report | undefined} report
 * @returns {string}
 */
function readerText({ fields, column }, report) {
  if (report === undefined) return 'no report yet';
  const { mean, stddev } = report.statistics[column];
  return (
    `${compact(report.perSecond)}/s, p50 ${duration(report.latency.p50)}, p99 ${duration(report.latency.p99)}, ` +
    `lag ${withCommas(report.lag)}, lost ${withCommas(report.lost)}, ` +
    `${fields[column]} ${value3(mean)} ± ${value3(stddev)}`
  );
}
