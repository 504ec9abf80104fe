// Uses one part of the API over and over, in a process of its own, and prints how
// resident memory and the log's figures went: node --expose-gc leaks.cjs CASE [BLOCKS]
'use strict';

const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { AtomicLog } = require('../../dist/index.js');
const { addon } = require('../../dist/base/native.js');

const BLOCKS = Number(process.argv[3] ?? 6);
const CAPACITY = 16;
const options = { retainedCapacity: 4 * CAPACITY, segmentCapacity: CAPACITY };
const full = Float64Array.from({ length: CAPACITY }, (_, i) => i);

const turn = () => new Promise((resolve) => setImmediate(resolve));
const isProgram = require.main === module;
const { writer, log } = isProgram && isMainThread ? AtomicLog.claimed(options) : {};

/** The promise of a follower's result, without an error that nobody catches. */
const settled = (promise) => promise.catch(() => undefined);

/** A follower that has delivered a batch, of which it holds a part. */
async function followed(signal) {
  const follower = log.follow({ from: 'oldest', batchEntriesMax: 1, signal });
  await follower.next();
  return follower;
}

/**
 * Loops that never return to the event loop, where no finalizer runs: what they
 * make must not wait for one. `round` begins a segment each time.
 */
const synchronous = {
  'Writer: append across segments': () => writer.appendBatch(full),
  'Writer: write() and publish()': () => {
    for (let i = 0; i < CAPACITY; ++i) writer.write(i);
    writer.publish();
  },
  'Span: reserve() and commit()': () => {
    writer.reserve(CAPACITY).values.fill(1);
    writer.commit(CAPACITY);
  },
  'Snapshot: refresh()': (state) => {
    writer.appendBatch(full);
    (state.snapshot ??= log.snapshot()).refresh();
  },
  'Snapshot: extend() and refresh()': (state, i) => {
    writer.appendBatch(full);
    const snapshot = (state.snapshot ??= log.snapshot());
    if (i % 8 === 0) snapshot.refresh();
    else snapshot.extend();
  },
  'Snapshot: snapshot() and close()': () => {
    writer.appendBatch(full);
    log.snapshot().close();
  },
  'Snapshot: clone() and close()': () => {
    writer.appendBatch(full);
    const snapshot = log.snapshot();
    const clone = snapshot.clone();
    snapshot.close();
    clone.close();
  },
  'Chunk: values, at()': (state) => {
    writer.appendBatch(full);
    const snapshot = (state.snapshot ??= log.snapshot());
    snapshot.refresh();
    for (const chunk of snapshot.chunks()) state.sum = chunk.values[0] + chunk.at(1);
  },
  'Cursor: next() and value': (state) => {
    writer.appendBatch(full);
    const snapshot = (state.snapshot ??= log.snapshot());
    snapshot.refresh();
    const cursor = snapshot.cursor();
    while (cursor.next()) state.sum = cursor.value;
  },
  'AtomicLog: latest()': (state) => {
    writer.appendBatch(full);
    state.sum = log.latest();
  },
};

/** Loops that return to the event loop now and then. [rounds of a block, round] */
const asynchronous = {
  'AtomicLog: new and close()': [
    1200,
    () => {
      const claimed = AtomicLog.claimed(options);
      claimed.writer.appendBatch(full);
      claimed.log.snapshot().close();
      claimed.writer.close();
      claimed.log.close();
    },
  ],
  'AtomicLog: attach() and close()': [5000, () => AtomicLog.attach(log.handle).close()],
  'AtomicLog: new, and dropped': [1000, () => void new AtomicLog(options).snapshot()],
  'AtomicLog: waitSync()': [300, () => log.waitSync(log.endIndex, 1, { allowMainThread: true })],
  'Writer: claim and close()': [
    10_000,
    (state) => {
      state.log ??= new AtomicLog(options);
      const claimed = state.log.tryClaimWriter();
      claimed.append(1);
      claimed.close();
    },
  ],
  'Snapshot: dropped': [
    4000,
    () => {
      writer.append(1);
      log.snapshot();
    },
  ],
  'Chunk: of a snapshot that was dropped': [
    4000,
    (state) => {
      writer.appendBatch(full);
      state.values = log.snapshot().chunks()[0].values;
    },
  ],
  'Follower: break': [
    2000,
    async () => {
      writer.append(1);
      for await (const batch of log.follow({ from: 'oldest', batchEntriesMax: 1 }))
        if (batch.length > 0) break;
    },
  ],
  'Follower: return() while it waits': [
    2000,
    async () => {
      const follower = log.follow({ from: 'latest' });
      const pending = follower.next();
      await turn();
      await follower.return();
      await pending;
    },
  ],
  'Follower: abort while it holds a batch': [
    2000,
    async () => {
      const controller = new AbortController();
      writer.append(1);
      const follower = await followed(controller.signal);
      controller.abort();
      await settled(follower.next());
    },
  ],
  'Follower: abort of a signal that lives on': [
    2000,
    async (state) => {
      state.controller ??= new AbortController();
      writer.append(1);
      const follower = await followed(state.controller.signal);
      await follower.return();
    },
  ],
  'Follower: dropped, of a signal that lives on': [
    1000,
    async (state) => {
      state.controller ??= new AbortController();
      writer.append(1);
      await followed(state.controller.signal);
    },
  ],
  'Follower: dropped': [
    1000,
    async () => {
      writer.append(1);
      await followed();
    },
  ],
  'AtomicLog: waitForWriter() aborted': [
    2000,
    async () => {
      const controller = new AbortController();
      const claim = settled(log.waitForWriter({ signal: controller.signal }));
      controller.abort();
      await claim;
    },
  ],
  'Worker: attach, hold everything, exit': [
    6,
    async () => {
      const worker = new Worker(module.filename, { workerData: log.handle });
      writer.appendBatch(full);
      await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    },
  ],
};

/** What is the same before and after, once all is given back. */
function figures() {
  const { pinnedHere, pinnedSegments } = log.stats();
  return { pinnedHere, pinnedSegments, isWriterClaimed: log.isWriterClaimed };
}

async function collect() {
  for (let i = 0; i < 3; ++i) {
    await turn();
    globalThis.gc();
  }
  await turn();
}

async function run(name) {
  const state = {};
  const usage = { resident: [], heap: [], mapped: [] };
  const round = synchronous[name];
  const measure = () => {
    globalThis.gc();
    const { rss, heapUsed } = process.memoryUsage();
    usage.resident.push(rss);
    usage.heap.push(heapUsed);
    usage.mapped.push(addon.blockUsage().mapped);
  };
  for (let block = 0; block < BLOCKS; ++block) {
    if (round !== undefined) {
      for (let i = 0; i < 20_000; ++i) round(state, i);
    } else {
      const [rounds, asyncRound] = asynchronous[name];
      for (let i = 0; i < rounds; ++i) {
        await asyncRound(state);
        if (i % 50 === 0) await turn();
        if (i % 500 === 0) globalThis.gc();
      }
      await collect();
    }
    measure();
  }
  state.snapshot?.close();
  state.values = undefined;
  // What was dropped last comes back at the collector's leisure; what leaks never does.
  const isPinning = ({ pinnedHere, pinnedSegments }) => pinnedHere + pinnedSegments > 0;
  for (let i = 0; i < 2 || (i < 50 && isPinning(figures())); ++i) await collect();
  console.log(JSON.stringify({ ...usage, figures: figures() }));
}

/** Makes a log of its own of a few megabytes, and takes a part in the other. */
function hold() {
  const own = AtomicLog.claimed({ retainedCapacity: 2 ** 18, segmentCapacity: 2 ** 16 });
  own.writer.appendBatch(new Float64Array(2 ** 19));
  const attached = AtomicLog.attach(workerData);
  globalThis.held = [
    own,
    own.log.snapshot(),
    attached.snapshot().chunks(),
    attached.follow({ from: 'latest' }).next(),
  ];
  process.exit(0);
}

module.exports = { synchronous: Object.keys(synchronous), asynchronous: Object.keys(asynchronous) };

if (isProgram && isMainThread) void run(process.argv[2]);
else if (isProgram) hold();
