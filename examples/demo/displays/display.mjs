// @ts-check
import { showJson } from './json.mjs';
import { showLines } from './lines.mjs';
import { showTable } from './table.mjs';

/**
 * What there is to show at one moment.
 *
 * @typedef {object} View
 * @property {string} label Of the source.
 * @property {readonly string[]} fields
 * @property {number} column Which of the fields is shown.
 * @property {number} seconds Since the beginning.
 * @property {number} written
 * @property {number} perSecond Of the writer, since the last view; in the last view, over the whole run.
 * @property {import('atomic-log').LogStats} stats
 * @property {number} window Records in the log.
 * @property {import('atomic-log').AtomicLog<Record<string, number>>} log
 * @property {readonly import('../reader-thread.mjs').ReaderThread[]} readers
 * @property {readonly import('../reader-thread.mjs').ReaderThread[]} receivers Get the same records by postMessage.
 * @property {{ log: number | null, messages: number | null }} costNs What a record has cost this thread so far.
 */

/**
 * @typedef {object} Display
 * @property {number} periodMs How often it wants to be updated.
 * @property {(view: View) => void} update
 * @property {(view: View, verdict: import('../verdict.mjs').Verdict) => void} finish
 * @property {() => void} close Leaves the terminal as it was. Idempotent.
 */

/**
 * @param {boolean} json
 * @returns {Display}
 */
export function openDisplay(json) {
  if (json) return showJson();
  return process.stdout.isTTY ? showTable() : showLines();
}
