/**
 * Curves of the log in memory: what operations take while one thing grows. Of each
 * curve: the values of what grows, `bytes` of memory that a value takes, and
 * `measure`, which a process of its own runs for one value.
 */
import { once } from 'node:events';
import { PerformanceObserver } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
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

/** The same copies without a log: into the next of these arrays, or the next place of the one. */
const copiesInto = (targets, source) => {
  let next = 0;
  let at = 0;
  return (operations) => {
    for (let i = 0; i < operations; ++i) {
      const target = targets[next];
      target.set(source, at);
      at += source.length;
      if (at + source.length <= target.length) continue;
      at = 0;
      next = next + 1 === targets.length ? 0 : next + 1;
    }
  };
};

/** Cache lines of a small segment, of its mapping and of what JavaScript has of it: 1300 bytes. */
const SEGMENT_LINES = 20;
const LINE = 64 / Int32Array.BYTES_PER_ELEMENT;

/** Loads from the memory of as many segments, each of which must wait for the one before. */
function loadsFrom(count) {
  const lines = count * SEGMENT_LINES;
  const next = new Int32Array(lines * LINE);
  // A prime, so that it comes to all of them; far enough for no processor to foresee the next.
  for (let i = 0; i < lines; ++i) next[i * LINE] = ((i + 7919) % lines) * LINE;
  let at = 0;
  return (operations) => {
    for (let i = 0; i < operations; ++i) at = next[at];
    return at;
  };
}

/** Nanoseconds of each operation in which garbage is collected. */
async function collecting(run, operations) {
  let milliseconds = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) milliseconds += duration;
  });
  observer.observe({ entryTypes: ['gc'] });
  run(operations);
  // Entries come with the next turns.
  await setTimeout(20);
  observer.disconnect();
  return (milliseconds * 1e6) / operations;
}

/** Why a curve may rise that is beside one of bare copies. */
const CACHES =
  'the processor waits for memory: the copies without a log, over as much of it, rise where it does';

/** Why a curve may rise that is beside one of bare stores of records. */
const RECORDS =
  'each record is stored in as many places, and read from more memory than the nearest cache has: the stores without a log rise where it does';

/** Stores records field by field, read by their names, into the next arrays when those before are full. */
function storesOf(names, rows, targets) {
  const stores = names.map((name, i) => `columns[${i}][at] = row.${name};`).join(' ');
  return new Function(
    'rows',
    'targets',
    `let target = 0;
    let columns = targets[0];
    let at = 0;
    return (operations) => {
      for (let i = 0; i < operations; ++i) {
        for (const row of rows) {
          ${stores}
          if (++at < columns[0].length) continue;
          at = 0;
          columns = targets[(target = target + 1 === targets.length ? 0 : target + 1)];
        }
      }
    };`,
  )(rows, targets);
}

/** Appends until the window is full and its memory is recycled. */
function fill(writer, { retainedCapacity, segmentCapacity }) {
  const batch = new Float64Array(Math.min(segmentCapacity, 65_536)).fill(1.5);
  for (let i = 0; i < retainedCapacity + 3 * segmentCapacity; i += batch.length) writer.appendBatch(batch);
}

const retained = {
  grows: 'retained entries, in 16 segments (one of 1000 at least)',
  values: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8],
  bytes: (entries) => 20 * entries,
  why: {
    'appendBatch(64), per entry': CACHES,
    'copies of 64 without a log, per entry': 'the caches of the processor',
  },
  measure(entries) {
    const options = { retainedCapacity: entries, segmentCapacity: Math.max(1000, Math.ceil(entries / 16)) };
    const { writer, log } = AtomicLog.claimed(options);
    fill(writer, options);
    const batch = new Float64Array(64).fill(1.5);
    const plain = new Float64Array(Math.max(1000, entries)).fill(1.5);
    // While a snapshot is held, or a turn in which one was taken, what it has is not used again.
    const written = {
      append: warm(200_000, appendsTo(writer)),
      'appendBatch(64), per entry': warm(
        20_000,
        (operations) => {
          for (let i = 0; i < operations; ++i) writer.appendBatch(batch);
        },
        64,
      ),
      'copies of 64 without a log, per entry': warm(20_000, copiesInto([plain], batch), 64),
    };
    const snapshot = log.snapshot();
    return {
      ...written,
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

/** Why what makes an ArrayBuffer and its typed arrays is no quicker for being done often. */
const CALLS_OF_RUNTIME =
  'a mapping is made in the runtime, and collecting garbage goes through all that there are';

const SEGMENT = 16;
const segments = {
  grows: `segments, of ${SEGMENT} entries`,
  values: [1e2, 1e3, 1e4, 1e5],
  more: [1e6],
  bytes: (count) => 10_000 * count,
  why: {
    'at(i), one entry after the other':
      'the first entry of 16 waits for memory eight times (segment, mapping, its objects, the entry), each time as the load that waits for the one before, from as much memory',
    'the first at(i) in a segment': CALLS_OF_RUNTIME,
    'a roll':
      'it waits for memory five times or so: each time as the load that waits for the one before, from as much memory',
    'a load that waits for the one before, from as much memory': 'the caches of the processor',
    'a roll and refresh(), of segments seen for the first time': CALLS_OF_RUNTIME,
    'a roll and refresh(): collecting garbage, of it': 'what lives longer is moved',
    'a roll and refresh()':
      'what a snapshot knows of a segment lives as long as the segment, and collecting garbage moves it; the rest waits for memory',
  },
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
    // Whoever reads a segment for the first time maps it; what is measured later has all of them mapped.
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
    rolls(count + 3);
    const roll = warm(2000, rolls);
    snapshot = log.snapshot();
    const rollsAndRefreshes = (operations) => {
      for (let i = 0; i < operations; ++i) {
        writer.appendBatch(batch);
        snapshot.refresh();
      }
    };
    const seen = time(rollsAndRefreshes, count + 3);
    const garbage = await collecting(rollsAndRefreshes, 2 * count + 20_000);
    return {
      'a segment in fresh memory': made,
      'first snapshot() of a thread, per segment': first / count,
      'the first at(i) in a segment': mapped,
      ...readings,
      'a roll': roll,
      'a load that waits for the one before, from as much memory': warm(200_000, loadsFrom(count)),
      'a roll and refresh(), of segments seen for the first time': seen,
      'a roll and refresh()': warm(2000, rollsAndRefreshes),
      'a roll and refresh(): collecting garbage, of it': garbage,
    };
  },
};

const READER_ENTRIES = 500_000;
const readers = {
  grows: 'readers, each a thread',
  values: [1, 2, 4, 8, 16],
  more: [32, 64],
  bytes: (count) => 30e6 * count,
  why: {
    "append, the writer's processor time, readers poll every ms":
      'into one segment it does not rise, nor beside threads that only wake: at each roll the writer meets the blocks that readers have just pinned and released',
  },
  async measure(count) {
    const rolling = AtomicLog.claimed({ retainedCapacity: 65_536, segmentCapacity: 4096 });
    const staying = AtomicLog.claimed({ retainedCapacity: 2 ** 23, segmentCapacity: 2 ** 23 });
    /** Nanoseconds of this thread's processor per entry, while readers read in that way. */
    const beside = async (how, { writer, log } = rolling) => {
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
    appendsTo(rolling.writer)(READER_ENTRIES);
    return {
      "append, the writer's processor time, readers poll every ms": await beside('poll'),
      "append, the writer's processor time, readers follow()": await beside('follow'),
      "append into one segment, the writer's processor time, readers poll every ms": await beside(
        'poll',
        staying,
      ),
      "append, the writer's processor time, as many threads wake every ms and look at nothing":
        await beside('wake'),
    };
  },
};

const columns = {
  grows: 'columns, f64',
  values: [1, 2, 4, 8, 16, 32, 64],
  bytes: () => 100e6,
  why: {
    'appendBatch of 1024 as columns, per field': CACHES,
    'copies of 1024 without a log, per field': 'the caches of the processor',
    'append of a record, per field': RECORDS,
    'appendBatch of 64 records, per field': RECORDS,
    'stores of 64 records without a log, per field': 'the caches of the processor',
    'rows(), one field, per record': 'in each segment, here of 1024 records, the row is given all columns',
  },
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
    const targets = Array.from({ length: 17 }, () => names.map(() => new Float64Array(1024).fill(1.5)));
    let copied = 0;
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
      'stores of 64 records without a log, per field': warm(
        Math.ceil(1000 / count),
        storesOf(names, rows, targets),
        64 * count,
      ),
      'appendBatch of 1024 as columns, per field': warm(
        Math.ceil(1000 / count),
        (operations) => {
          for (let i = 0; i < operations; ++i) writer.appendBatch(batch);
        },
        1024 * count,
      ),
      'copies of 1024 without a log, per field': warm(
        Math.ceil(1000 / count),
        (operations) => {
          for (let i = 0; i < operations; ++i) {
            const target = targets[(copied = copied + 1 === targets.length ? 0 : copied + 1)];
            for (let column = 0; column < count; ++column) target[column].set(batch[names[column]]);
          }
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
