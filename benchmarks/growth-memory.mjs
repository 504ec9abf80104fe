/**
 * Curves of the log in memory: what operations take while one thing grows. Of each
 * curve: the values of what grows, `bytes` of memory that a value takes, and
 * `measure`, which a process of its own runs for one value.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AtomicLog } from '../dist/index.mjs';
import { cpuTime } from './cpu-time.mjs';
import { median, quantile, time } from './measure.mjs';

/** A run of operations takes no longer, however long one takes. */
const RUN_NS = 5e6;
const RUNS = 15;
/** Runs before those that count: a function of many fields is compiled late. */
const WARM_NS = 1e8;

/**
 * Nanoseconds of an operation, warm; `per` is the number of entries in one. The
 * quicker runs count: other work on the machine only makes a run slower.
 */
function warm(operations, run, per = 1) {
  let count = Math.min(5, operations);
  while (count < operations && time(run, count) * count < RUN_NS) count = Math.min(operations, 4 * count);
  for (let spent = 0; spent < WARM_NS;) spent += time(run, count) * count;
  const samples = Array.from({ length: RUNS }, () => time(run, count));
  return quantile(samples, 0.25) / per;
}

const appendsTo = (writer) => (operations) => {
  for (let i = 0; i < operations; ++i) writer.append(i * 0.5);
};
const snapshotsOf = (log) => (operations) => {
  for (let i = 0; i < operations; ++i) log.snapshot().close();
};
const latestOf = (log) => (operations) => {
  let sum = 0;
  for (let i = 0; i < operations; ++i) sum += log.latest();
  return sum;
};

/** Appends until the window is full and its memory is recycled. */
function fill(writer, { retainedCapacity, segmentCapacity }) {
  const batch = new Float64Array(Math.min(segmentCapacity, 65_536)).fill(1.5);
  for (let i = 0; i < retainedCapacity + 3 * segmentCapacity; i += batch.length) writer.appendBatch(batch);
}

const retained = {
  grows: 'retained entries, in 16 segments (one of 1000 at least)',
  values: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8],
  bytes: (entries) => 12 * entries,
  measure(entries) {
    const options = { retainedCapacity: entries, segmentCapacity: Math.max(1000, Math.ceil(entries / 16)) };
    const { writer, log } = AtomicLog.claimed(options);
    fill(writer, options);
    const batch = new Float64Array(64).fill(1.5);
    const snapshot = log.snapshot();
    return {
      append: warm(200_000, appendsTo(writer)),
      'appendBatch(64), per entry': warm(
        20_000,
        (operations) => {
          for (let i = 0; i < operations; ++i) writer.appendBatch(batch);
        },
        64,
      ),
      'append and refresh()': warm(100_000, (operations) => {
        for (let i = 0; i < operations; ++i) {
          writer.append(i);
          snapshot.refresh();
        }
      }),
      'snapshot() and close()': warm(100_000, snapshotsOf(log)),
      'latest()': warm(100_000, latestOf(log)),
    };
  },
};

const SEGMENT = 16;
const segments = {
  grows: `segments, of ${SEGMENT} entries`,
  values: [1e2, 1e3, 1e4, 1e5],
  more: [1e6],
  bytes: (count) => 10_000 * count,
  async measure(count) {
    const options = { retainedCapacity: count * SEGMENT, segmentCapacity: SEGMENT };
    const { writer, log } = AtomicLog.claimed(options);
    const batch = new Float64Array(SEGMENT).fill(1.5);
    const rolls = (operations) => {
      for (let i = 0; i < operations; ++i) writer.appendBatch(batch);
    };
    const made = time(rolls, count + 3);
    // Its own thread knows the segments already.
    const worker = new Worker(new URL('./memory/attach-worker.mjs', import.meta.url), {
      workerData: [log.handle],
    });
    const [[[first]]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    let snapshot = log.snapshot();
    // Whoever reads a segment for the first time maps it.
    const mapped = time((operations) => {
      for (let i = 0; i < operations; ++i) snapshot.get(snapshot.firstIndex + i * SEGMENT);
    }, count - 1);
    let position = 0;
    const readings = {
      'snapshot() and close(), nothing rolled': warm(20_000, snapshotsOf(log)),
      'latest()': warm(20_000, latestOf(log)),
      'at(i), one entry after the other': warm(20_000, (operations) => {
        let sum = 0;
        for (let i = 0; i < operations; ++i) {
          sum += snapshot.at(position);
          position = position + 1 === snapshot.length ? 0 : position + 1;
        }
        return sum;
      }),
    };
    // An open snapshot keeps what it holds from being recycled.
    snapshot.close();
    // The turn ends: it keeps the window too.
    await null;
    const roll = warm(2000, rolls);
    snapshot = log.snapshot();
    return {
      'a segment in fresh memory': made,
      'first snapshot() of a thread, per segment': first / count,
      'the first at(i) in a segment': mapped,
      ...readings,
      'a roll': roll,
      'a roll and refresh()': warm(2000, (operations) => {
        for (let i = 0; i < operations; ++i) {
          writer.appendBatch(batch);
          snapshot.refresh();
        }
      }),
    };
  },
};

const READER_ENTRIES = 500_000;
const readers = {
  grows: 'readers, each a thread',
  values: [1, 2, 4, 8, 16],
  more: [32, 64],
  bytes: (count) => 30e6 * count,
  async measure(count) {
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 65_536, segmentCapacity: 4096 });
    /** Nanoseconds of this thread's processor per entry, while readers read in that way. */
    const beside = async (how) => {
      const stop = new Int32Array(new SharedArrayBuffer(4));
      const workerData = { handle: log.handle, stop, how };
      const workers = Array.from(
        { length: count },
        () => new Worker(new URL('./growth-reader.mjs', import.meta.url), { workerData }),
      );
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      const samples = Array.from({ length: 9 }, () => {
        const begin = cpuTime();
        appendsTo(writer)(READER_ENTRIES);
        return (cpuTime() - begin) / READER_ENTRIES;
      });
      Atomics.store(stop, 0, 1);
      writer.append(0);
      await Promise.all(workers.map((worker) => once(worker, 'exit')));
      return median(samples);
    };
    appendsTo(writer)(READER_ENTRIES);
    return {
      "append, the writer's processor time, readers poll every ms": await beside('poll'),
      "append, the writer's processor time, readers follow()": await beside('follow'),
    };
  },
};

const columns = {
  grows: 'columns, f64',
  values: [1, 2, 4, 8, 16, 32, 64],
  bytes: () => 100e6,
  measure(count) {
    const names = Array.from({ length: count }, (_, i) => `c${i}`);
    const schema = Object.fromEntries(names.map((name) => [name, 'f64']));
    const options = { retainedCapacity: 16_384, segmentCapacity: 1024, schema };
    const { writer, log } = AtomicLog.claimed(options);
    const batch = Object.fromEntries(names.map((name) => [name, new Float64Array(1024).fill(1.5)]));
    for (let i = 0; i < 20; ++i) writer.appendBatch(batch);
    // As a literal or JSON.parse() makes it; from one assignment after the other it would be a dictionary.
    const text = JSON.stringify(Object.fromEntries(names.map((name, i) => [name, i + 0.5])));
    const rows = Array.from({ length: 64 }, () => JSON.parse(text));
    const snapshot = log.snapshot();
    return {
      'append of a record, per field': warm(
        Math.ceil(64_000 / count),
        (operations) => {
          for (let i = 0; i < operations; ++i) writer.append(rows[i & 63]);
        },
        count,
      ),
      'appendBatch of 64 records, per field': warm(
        Math.ceil(1000 / count),
        (operations) => {
          for (let i = 0; i < operations; ++i) writer.appendBatch(rows);
        },
        64 * count,
      ),
      'appendBatch of 1024 as columns, per field': warm(
        Math.ceil(1000 / count),
        (operations) => {
          for (let i = 0; i < operations; ++i) writer.appendBatch(batch);
        },
        1024 * count,
      ),
      'rows(), one field, per record': warm(
        2,
        (operations) => {
          let sum = 0;
          for (let i = 0; i < operations; ++i) for (const row of snapshot.rows()) sum += row.c0;
          return sum;
        },
        snapshot.length,
      ),
      'snapshot() and close()': warm(20_000, snapshotsOf(log)),
    };
  },
};

export const curves = { retained, segments, readers, columns };
