// @ts-check
import { withCommas } from './format.mjs';

/**
 * @typedef {import('./reader.mjs').Report} Report
 * @typedef {{ passed: boolean, message: string, problems: string[] }} Verdict
 */

/**
 * Whether every reader saw or lost each record, and saw what the writer published.
 *
 * @param {number} written
 * @param {number} checksum The writer's, after the last record.
 * @param {readonly (Report | undefined)[]} reports
 * @returns {Verdict}
 */
export function judge(written, checksum, reports) {
  const problems = reports.flatMap((report, i) =>
    readerProblems(written, checksum, report).map((problem) => `reader ${i + 1}: ${problem}`),
  );
  const passed = problems.length === 0;
  const message = passed
    ? `check passed: ${praise(written, checksum, reports)}`
    : `check failed: ${problems.join('; ')}`;
  return { passed, message, problems };
}

/**
 * @param {number} written
 * @param {number} checksum
 * @param {Report | undefined} report
 * @returns {string[]}
 */
function readerProblems(written, checksum, report) {
  if (!report?.isFinal) return ['it ended without a final report'];
  const { seen, lost, mismatches, firstMismatch } = report;
  const problems = [];
  if (seen + lost !== written) problems.push(`seen ${seen} + lost ${lost} is not written ${written}`);
  if (mismatches > 0) {
    problems.push(`${plural(mismatches, 'record')} not as published, the first at index ${firstMismatch}`);
  }
  // The window holds at least the last record, so no reader can have missed that one.
  if (report.nextIndex !== written) {
    problems.push(`it stopped before index ${report.nextIndex}, the writer before ${written}`);
  } else if (report.checksum !== checksum) {
    problems.push(`its final checksum is ${hex(report.checksum)}, the writer's ${hex(checksum)}`);
  }
  return problems;
}

/**
 * @param {number} written
 * @param {number} checksum
 * @param {readonly (Report | undefined)[]} reports
 * @returns {string}
 */
function praise(written, checksum, reports) {
  const total = (/** @type {'seen' | 'lost' | 'runs'} */ key) =>
    reports.reduce((sum, report) => sum + (report?.[key] ?? 0), 0);
  return (
    `${plural(written, 'record')} published, checksum ${hex(checksum)}; ` +
    `${plural(reports.length, 'reader')} verified ${withCommas(total('seen'))} in ` +
    `${plural(total('runs'), 'run')} and lost ${withCommas(total('lost'))}`
  );
}

/**
 * @param {number} count
 * @param {string} noun
 * @returns {string}
 */
function plural(count, noun) {
  return `${withCommas(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * @param {number} checksum
 * @returns {string}
 */
function hex(checksum) {
  return `0x${checksum.toString(16).padStart(8, '0')}`;
}
