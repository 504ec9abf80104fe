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
  const { costNs, readers, receivers } = view;
  const cost = `costs ${duration(costNs.log)} each`;
  const writer = `writer ${compact(view.perSecond)}/s, ${withCommas(view.written)} in total, ${cost}`;
  const messages = receivers.map(({ name, report }) => `${name}: ${receiverText(report)}`);
  return [
    `${view.seconds.toFixed(1)} s`,
    writer,
    ...readers.map(({ name, report }) => `${name}: ${readerText(view, report)}`),
    ...(messages.length > 0 ? [`postMessage costs ${duration(costNs.messages)} each`, ...messages] : []),
  ].join(' | ');
}

/**
 * @param {View} view
 * @param {import('../reader.mjs').Report | undefined} report
 * @returns {string}
 */
function readerText({ fields, column }, report) {
  if (report === undefined) return 'no report yet';
  const { mean, stddev } = report.statistics[fields[column]];
  return `${receiverText(report)}, lost ${withCommas(report.lost)}, ${fields[column]} ${value3(mean)} ± ${value3(stddev)}`;
}

/**
 * @param {import('../reader.mjs').Report | undefined} report
 * @returns {string}
 */
function receiverText(report) {
  if (report === undefined) return 'no report yet';
  const { perSecond, latency, lag } = report;
  return `${compact(perSecond)}/s, p50 ${duration(latency.p50)}, p99 ${duration(latency.p99)}, lag ${withCommas(lag)}`;
}
