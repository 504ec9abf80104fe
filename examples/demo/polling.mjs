// @ts-check
import { setImmediate } from 'node:timers/promises';

/**
 * What a reader sees of one segment: columns by name, as views of the log's own memory.
 *
 * @typedef {object} Part
 * @property {number} firstIndex
 * @property {number} length
 * @property {(name: string) => Float64Array | Uint32Array} column
 */

/**
 * Records that are new to a reader. Its views are valid until the next batch is asked for.
 *
 * @typedef {object} Batch
 * @property {number} firstIndex
 * @property {number} length
 * @property {number} lost Records between the previous batch and this one that were never seen.
 * @property {() => Part[]} chunks
 */

const PAUSE_MIN_MS = 0.05;
const PAUSE_MAX_MS = 1;
/** Messages and timers get their turn at least this often. */
const TURN_MS = 10;

/** Nobody ever notifies it: waiting on it only lets the time pass, without a busy loop. */
const silence = new Int32Array(new SharedArrayBuffer(4));

/**
 * Everything that the log holds and will hold, batch by batch, until the writer has ended it: what
 * `log.follow({ from: 0 })` yields, by looking again and again instead of being woken.
 *
 * @param {import('atomic-log').AtomicLog<Record<string, number>>} log
 * @returns {AsyncGenerator<Batch, void, void>}
 */
export async function* pollLog(log) {
  const snapshot = log.snapshot();
  try {
    let change = { appended: snapshot.length, lost: snapshot.firstIndex };
    let pauseMs = PAUSE_MIN_MS;
    let turnEnd = performance.now() + TURN_MS;
    for (;;) {
      const isIdle = change.appended === 0;
      if (!isIdle) {
        pauseMs = PAUSE_MIN_MS;
        yield newBatch(snapshot, change.appended, change.lost);
      } else if (log.ended && snapshot.endIndex === log.endIndex) {
        return;
      } else {
        // Each pause in a row is longer, so a quiet log costs next to nothing. What the pause adds to the
        // latency is measured like everything else.
        Atomics.wait(silence, 0, 0, pauseMs);
        pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
      }
      if (isIdle || performance.now() >= turnEnd) {
        await setImmediate();
        turnEnd = performance.now() + TURN_MS;
      }
      change = snapshot.refresh();
    }
  } finally {
    snapshot.close();
  }
}

/**
 * @param {import('atomic-log').Snapshot<Record<string, number>>} snapshot
 * @param {number} length
 * @param {number} lost
 * @returns {Batch}
 */
function newBatch(snapshot, length, lost) {
  const firstIndex = snapshot.endIndex - length;
  return { firstIndex, length, lost, chunks: () => partsFrom(snapshot, firstIndex) };
}

/**
 * The snapshot's records from an index on. A snapshot shows the whole window, most of which the reader has seen.
 *
 * @param {import('atomic-log').Snapshot<Record<string, number>>} snapshot
 * @param {number} index
 * @returns {Part[]}
 */
function partsFrom(snapshot, index) {
  return snapshot
    .chunks()
    .filter((chunk) => chunk.firstIndex + chunk.length > index)
    .map((chunk) => {
      const skip = Math.max(0, index - chunk.firstIndex);
      return {
        firstIndex: chunk.firstIndex + skip,
        length: chunk.length - skip,
        column: (name) => /** @type {Float64Array | Uint32Array} */ (chunk.column(name)).subarray(skip),
      };
    });
}
