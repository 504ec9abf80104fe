// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Wal } from 'atomic-log';
import { withCommas } from '../format.mjs';
import { isEntryOf } from './entry.mjs';

/**
 * What one kill left.
 *
 * @typedef {object} Outcome
 * @property {number} acknowledged The last LSN that the writer had said to be on disk, in this life or one before.
 * @property {number} found Entries that are there.
 * @property {number} missing Of those that were acknowledged.
 * @property {number} wrong Entries that are not what was appended.
 * @property {string} recovery
 * @property {number} recoveryMs
 */

const SECONDS = 1;
const WRITER = fileURLToPath(new URL('./writer.mjs', import.meta.url));

/**
 * Has a writer kill itself again and again, opens what it leaves, and looks for what it had acknowledged.
 *
 * @param {{ kills: number, seconds?: number }} options
 * @returns {Promise<number>} The exit status.
 */
export async function killWriters({ kills, seconds = SECONDS }) {
  const directory = mkdtempSync(join(tmpdir(), 'atomic-log-demo-'));
  console.log(`A write-ahead log in ${directory}: its writer kills itself with SIGKILL after ${seconds} s.`);
  /** @type {Outcome[]} */
  const outcomes = [];
  let acknowledged = 0;
  for (let kill = 1; kill <= kills; ++kill) {
    const before = acknowledged;
    acknowledged = await acknowledgedBy(directory, seconds, before);
    const outcome = await recover(directory, acknowledged);
    outcomes.push(outcome);
    console.log(text(kill, before, outcome));
  }
  const passed = outcomes.every(({ missing, wrong }) => missing === 0 && wrong === 0);
  const last = outcomes[outcomes.length - 1];
  if (passed) {
    rmSync(directory, { recursive: true });
    console.log(
      `check passed: all ${withCommas(last.acknowledged)} acknowledged entries survived ${kills} kill${kills === 1 ? '' : 's'}`,
    );
    return 0;
  }
  console.error(`check failed: entries are missing or wrong; the log is kept in ${directory}`);
  return 1;
}

/**
 * Runs a writer until it is dead; returns the last LSN that it had acknowledged.
 *
 * @param {string} directory
 * @param {number} seconds
 * @param {number} before
 */
async function acknowledgedBy(directory, seconds, before) {
  const child = spawn(process.execPath, [WRITER, directory, String(seconds * 1000)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let last = before;
  // A line that the kill has cut off would acknowledge another LSN; lines are written whole, or not at all.
  for await (const line of createInterface({ input: child.stdout })) last = Math.max(last, Number(line));
  const [code, signal] = await closed;
  // On Windows, a process that is killed ends with a status.
  if (signal !== 'SIGKILL' && process.platform !== 'win32') {
    throw new Error(`the writer ended with ${signal ?? code} before it could kill itself`);
  }
  return last;
}

/**
 * @param {string} directory
 * @param {number} acknowledged
 * @returns {Promise<Outcome>}
 */
async function recover(directory, acknowledged) {
  const start = performance.now();
  const wal = await Wal.open(directory);
  const recoveryMs = performance.now() - start;
  let found = 0;
  let wrong = 0;
  for (const { lsn, data } of wal.entries()) {
    ++found;
    if (lsn !== found || !isEntryOf(lsn, data)) ++wrong;
  }
  const { action, quarantinedBytes } = wal.recovery;
  await wal.close();
  const torn = quarantinedBytes > 0 ? `, ${withCommas(quarantinedBytes)} torn bytes put aside` : '';
  const missing = Math.max(0, acknowledged - found);
  return { acknowledged, found, missing, wrong, recovery: `${action}${torn}`, recoveryMs };
}

/**
 * @param {number} kill
 * @param {number} before
 * @param {Outcome} outcome
 * @returns {string}
 */
function text(kill, before, { acknowledged, found, missing, wrong, recovery, recoveryMs }) {
  const row = (/** @type {string} */ name, /** @type {number} */ count, /** @type {string} */ remark) =>
    `  ${name.padEnd(13)}${withCommas(count).padStart(11)}   ${remark}`.trimEnd();
  const more = found - acknowledged;
  return [
    `kill ${kill}, then recovery: ${recovery}, in ${recoveryMs.toFixed(1)} ms`,
    row(
      'acknowledged',
      acknowledged,
      kill > 1 ? `${withCommas(acknowledged - before)} since the last kill` : '',
    ),
    row('there', found, more > 0 ? `${withCommas(more)} more: written, but not yet acknowledged` : ''),
    row('missing', missing, ''),
    ...(wrong > 0 ? [row('wrong', wrong, 'not what was appended')] : []),
  ].join('\n');
}
