// @ts-check
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';
import { clockSince } from './clock.mjs';
import { schemaOf, TIME } from './fields.mjs';
import { LatencyMeter } from './latency.mjs';
import { partOf } from './messages.mjs';
import { pollLog } from './polling.mjs';
import { rollingStatistics } from './rolling.mjs';
import { RunCheck } from './run-check.mjs';

/**
 * @typedef {object} ReaderData
 * @property {string} name
 * @property {import('atomic-log').LogHandle<Record<string, number>>} handle
 * @property {'log' | 'messages'} by What it reads: the log, or messages with the same records.
 * @property {readonly string[]} fields
 * @property {readonly string[]} shown The fields whose rolling statistics are reported.
 * @property {bigint} origin Zero of the clock that all threads share.
 * @property {boolean} poll Look for new records again and again, instead of being woken.
 * @property {number | 'oldest'} from The first record to read.
 * @property {Int32Array} cell Is 1 while it must stall.
 */

/**
 * How a reader is doing.
 *
 * @typedef {object} Report
 * @property {boolean} isFinal Then the rate and the latency are of the whole run, not of the time since the
 *   last report.
 * @property {number} from Index of the first record that it was to read.
 * @property {number} seen
 * @property {number} lost
 * @property {number} perSecond
 * @property {number} lag Records that are published, but not read yet.
 * @property {import('./latency.mjs').Percentiles} latency
 * @property {Record<string, import('./rolling.mjs').ColumnStatistics>} statistics Of the fields that are shown.
 * @property {number} runs
 * @property {number} mismatches
 * @property {number} firstMismatch
 * @property {number} nextIndex
 * @property {number} checksum
 */

/**
 * What a reader tells the main thread: that it is attached, then a report each time it is asked.
 *
 * @typedef {'ready' | Report} Answer
 */

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const { name, handle, by, fields, shown, origin, poll, from, cell } = /** @type {ReaderData} */ (workerData);

const log = AtomicLog.attach(handle, { name });
const now = clockSince(origin);
const check = new RunCheck(fields, log.segmentCapacity, from === 'oldest' ? undefined : from);
const latency = new LatencyMeter();
const columns = Object.keys(schemaOf(fields));

const start = now();
let reportedAt = start;
let reportedSeen = 0;

port.on(
  'message',
  (/** @type {'report' | 'stall' | 'end' | import('./messages.mjs').RecordsMessage} */ message) => {
    if (message === 'report') report();
    else if (message === 'stall') stall();
    else if (message === 'end') end();
    else readMessage(message);
  },
);
port.postMessage('ready');
if (by === 'log') {
  for await (const batch of poll ? pollLog(log) : log.follow({ from })) read(batch);
  end();
}

/** @param {import('./polling.mjs').Batch} batch */
function read(batch) {
  check.beginBatch(batch);
  for (const part of batch.chunks()) {
    check.readPart(part);
    latency.record(/** @type {Float64Array} */ (part.column(TIME)), now());
  }
}

/** @param {import('./messages.mjs').RecordsMessage} message */
function readMessage(message) {
  check.beginBatch({ firstIndex: message.firstIndex, lost: 0 });
  check.readPart(partOf(message, columns));
  latency.record([message.sentAt], now());
}

/** Holds the window as it is, as a slow reader would, until it may go on. */
function stall() {
  const snapshot = log.snapshot();
  Atomics.wait(cell, 0, 1);
  snapshot.close();
}

function report() {
  const time = now();
  send(false, perSecond(check.seen - reportedSeen, time - reportedAt), latency.takeRecent());
  reportedAt = time;
  reportedSeen = check.seen;
}

function end() {
  send(true, perSecond(check.seen, now() - start), latency.takeTotal());
  log.close();
  port.close();
}

/**
 * @param {boolean} isFinal
 * @param {number} rate
 * @param {import('./latency.mjs').Percentiles} percentiles
 */
function send(isFinal, rate, percentiles) {
  const { from = 0, seen, lost, runs, mismatches, firstMismatch, nextIndex, checksum } = check;
  /** @type {Report} */
  const message = {
    isFinal,
    from,
    seen,
    lost,
    perSecond: rate,
    lag: log.endIndex - nextIndex,
    latency: percentiles,
    statistics: rollingStatistics(log, shown),
    runs,
    mismatches,
    firstMismatch,
    nextIndex,
    checksum,
  };
  port.postMessage(message);
}

/**
 * @param {number} count
 * @param {number} ns
 * @returns {number}
 */
function perSecond(count, ns) {
  return ns > 0 ? (count * 1e9) / ns : 0;
}
