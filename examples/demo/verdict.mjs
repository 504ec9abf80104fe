// @ts-check
import { withCommas } from './format.mjs';

/**
 * @typedef {import('./reader.mjs').Report} Report
 * @typedef {Pick<import('./reader-thread.mjs').ReaderThread, 'name' | 'report'>} ReaderThread
 * @typedef {{ passed: boolean, message: string, problems: string[] }} Verdict
 */

/**
 * Whether every reader saw or lost each record from its first one on, and saw what the writer published.
 *
 * @param {number} written
 * @param {number} checksum The writer's, after the last record.
 * @param {readonly ReaderThread[]} readers
 * @param {readonly ReaderThread[]} receivers Those that got messages; they are no part of the praise.
 * @returns {Verdict}
 */
export function judge(written, checksum, readers, receivers) {
  const problems = [...readers, ...receivers].flatMap(({ name, report }) =>
    readerProblems(written, checksum, report).map((problem) => `${name}: ${problem}`),
  );
  const passed = problems.length === 0;
  const message = passed
    ? `check passed: ${praise(written, checksum, readers)}`
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
  const { from, seen, lost, mismatches, firstMismatch } = report;
  const problems = [];
  if (from + seen + lost !== written) {
    problems.push(`seen ${seen} + lost ${lost} from index ${from} on is not written ${written}`);
  }
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
 * @param {readonly ReaderThread[]} readers
 * @returns {string}
 */
function praise(written, checksum, readers) {
  const total = (/** @type {'seen' | 'lost' | 'runs'} */ key) =>
    readers.reduce((sum, { report }) => sum + (report?.[key] ?? 0), 0);
  return (
    `${plural(written, 'record')} published, checksum ${hex(checksum)}; ` +
    `${plural(readers.length, 'reader')} verified ${withCommas(total('seen'))} in ` +
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
