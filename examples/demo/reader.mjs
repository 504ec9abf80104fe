// @ts-check
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';
import { clockSince } from './clock.mjs';
import { TIME } from './fields.mjs';
import { LatencyMeter } from './latency.mjs';
import { pollLog } from './polling.mjs';
import { rollingStatistics } from './rolling.mjs';
import { RunCheck } from './run-check.mjs';

/**
 * @typedef {object} ReaderData
 * @property {import('atomic-log').LogHandle<Record<string, number>>} handle
 * @property {readonly string[]} fields
 * @property {bigint} origin Zero of the clock that all threads share.
 * @property {boolean} poll Look for new records again and again, instead of being woken.
 */

/**
 * How a reader is doing.
 *
 * @typedef {object} Report
 * @property {boolean} isFinal Then the rate and the latency are of the whole run, not of the time since the
 *   last report.
 * @property {number} seen
 * @property {number} lost
 * @property {number} perSecond
 * @property {number} lag Records that are published, but not read yet.
 * @property {import('./latency.mjs').Percentiles} latency
 * @property {import('./rolling.mjs').ColumnStatistics[]} statistics In the order of the fields.
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
const { handle, fields, origin, poll } = /** @type {ReaderData} */ (workerData);

const log = AtomicLog.attach(handle);
const now = clockSince(origin);
const check = new RunCheck(fields, log.segmentCapacity);
const latency = new LatencyMeter();

// The only thing that the main thread ever asks for.
port.on('message', report);

const start = now();
let reportedAt = start;
let reportedSeen = 0;

port.postMessage('ready');
try {
  for await (const batch of poll ? pollLog(log) : log.follow({ from: 0 })) read(batch);
  reportFinal();
} finally {
  log.close();
  port.close();
}

/** @param {import('./polling.mjs').Batch} batch */
function read(batch) {
  check.beginBatch(batch);
  for (const part of batch.chunks()) {
    check.readPart(part);
    latency.record(/** @type {Float64Array} */ (part.column(TIME)), now());
  }
}

function report() {
  const time = now();
  send(false, perSecond(check.seen - reportedSeen, time - reportedAt), latency.takeRecent());
  reportedAt = time;
  reportedSeen = check.seen;
}

function reportFinal() {
  send(true, perSecond(check.seen, now() - start), latency.takeTotal());
}

/**
 * @param {boolean} isFinal
 * @param {number} rate
 * @param {import('./latency.mjs').Percentiles} percentiles
 */
function send(isFinal, rate, percentiles) {
  const { seen, lost, runs, mismatches, firstMismatch, nextIndex, checksum } = check;
  /** @type {Report} */
  const message = {
    isFinal,
    seen,
    lost,
    perSecond: rate,
    lag: log.endIndex - nextIndex,
    latency: percentiles,
    statistics: rollingStatistics(log, fields),
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
