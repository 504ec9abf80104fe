// The worker of the tests in this folder: does what workerData.role says.
'use strict';

const { parentPort, workerData } = require('node:worker_threads');
const { AtomicLog } = require('../../dist/index.js');
const { sorts, valueOf } = require('./sorts.cjs');

function checkChunks(snapshot) {
  let next = snapshot.firstIndex;
  for (const chunk of snapshot.chunks()) {
    if (chunk.firstIndex !== next) throw new Error(`hole: expected ${next}, got ${chunk.firstIndex}`);
    const { values } = chunk;
    if (values.length !== chunk.length) throw new Error(`chunk of ${chunk.length} shows ${values.length}`);
    for (let i = 0; i < values.length; ++i) {
      if (values[i] !== valueOf(next + i)) throw new Error(`entry ${next + i} is ${values[i]}`);
    }
    next += values.length;
  }
  if (next !== snapshot.endIndex) throw new Error(`ends at ${next}, not ${snapshot.endIndex}`);
}

/** The same for entries of any sort. */
function checkEntries(snapshot, { isEntry }) {
  let next = snapshot.firstIndex;
  for (const chunk of snapshot.chunks()) {
    if (chunk.firstIndex !== next) throw new Error(`hole: expected ${next}, got ${chunk.firstIndex}`);
    for (let i = 0; i < chunk.length; ++i, ++next)
      if (!isEntry(chunk.at(i), next)) throw new Error(`entry ${next} is ${JSON.stringify(chunk.at(i))}`);
  }
  if (next !== snapshot.endIndex) throw new Error(`ends at ${next}, not ${snapshot.endIndex}`);
}

/** Samples of memory that each half of a producer's work is to have. */
const SAMPLES_MIN = 10;

/**
 * Appends `entries` entries by step(), `length` at a time. progress[0] says in which half it is, 0 or 1. On a busy
 * machine it goes on in each until the reader has polled often (progress[2]) and memory was sampled (progress[3]).
 */
function produceWith({ entries, pollsMin, progress }, step, length) {
  for (const half of [0, 1]) {
    const [polls, samples] = [2, 3].map((i) => Atomics.load(progress, i));
    const wasSeen = () =>
      Atomics.load(progress, 1) !== 0 ||
      (Atomics.load(progress, 2) - polls >= pollsMin / 2 &&
        Atomics.load(progress, 3) - samples >= SAMPLES_MIN);
    Atomics.store(progress, 0, half);
    for (let done = 0; done < entries / 2 || !wasSeen(); done += length) step();
  }
}

const roles = {
  /** Reports what a snapshot shows. */
  read({ handle }) {
    const log = AtomicLog.attach(handle);
    const snapshot = log.snapshot();
    parentPort.postMessage([...snapshot]);
    snapshot.close();
    log.close();
  },

  /** Attaches; reports the code of the error if that fails. */
  attach({ handle }) {
    try {
      AtomicLog.attach(handle).close();
      parentPort.postMessage('attached');
    } catch (error) {
      parentPort.postMessage(error.code);
    }
  },

  /** Waits for a handle, then reads. */
  readPosted() {
    parentPort.once('message', (handle) => roles.read({ handle }));
  },

  /** Keeps every array it is posted, and reads all of them in every turn; answers with the length. */
  keep() {
    const kept = [];
    parentPort.on('message', (bytes) => {
      kept.push(bytes);
      parentPort.postMessage(bytes.length);
    });
    const look = () => {
      globalThis.sum = kept.reduce((sum, bytes) => sum + bytes.reduce((a, b) => a + b, 0), 0);
      setImmediate(look);
    };
    look();
  },

  /** Claims the writer, appends, closes. */
  append({ handle, values }) {
    const writer = AtomicLog.attach(handle).tryClaimWriter();
    if (writer === null) throw new Error('the claim is held');
    for (const value of values) writer.append(value);
    writer.close();
  },

  /** Takes the writer and a snapshot, stages an entry, and ends in the way that is asked for. */
  hold({ handle, end }) {
    const log = AtomicLog.attach(handle);
    const held = { writer: log.tryClaimWriter(), snapshot: log.snapshot() };
    held.writer.write(-1);
    parentPort.postMessage('holding');
    if (end === 'throw') throw new Error('on purpose');
    if (end === 'exit') process.exit(0);
    if (end === 'return') return;
    globalThis.held = held;
    if (end === 'wait') setInterval(() => {}, 1000);
    while (end === 'spin') held.snapshot.refresh();
  },

  /** Claims, appends in a synchronous loop, and is terminated somewhere in it. */
  appendForever({ handle }) {
    const writer = AtomicLog.attach(handle).tryClaimWriter();
    if (writer === null) throw new Error('the claim is held');
    parentPort.postMessage('appending');
    for (;;) writer.append(valueOf(writer.nextIndex));
  },

  /** Publishes numbers in batches until it has produced enough. */
  produce({ handle, ...work }) {
    const writer = AtomicLog.attach(handle).tryClaimWriter();
    const batch = new Float64Array(64);
    produceWith(work, () => writer.appendBatch(batch), batch.length);
    writer.close();
  },

  /** The same for entries of any sort, one by one and in batches. */
  produceEntries({ handle, sort: name, ...work }) {
    const { attach, entryOf } = sorts[name];
    const writer = AtomicLog.attach(handle, attach).tryClaimWriter();
    const batch = Array.from({ length: 64 }, (_, i) => entryOf(i));
    const step = () => {
      try {
        for (const entry of batch) writer.append(entry);
      } catch (error) {
        if (error.message !== 'moody' && error.code !== 'ERR_CODEC_RESULT') throw error;
      }
      writer.appendBatch(batch);
    };
    produceWith(work, step, 2 * batch.length);
    writer.close();
  },

  /** Reads the ends of every chunk in a synchronous loop until progress[1] is set; counts up in progress[2]. */
  pollEntries({ handle, sort: name, progress }) {
    const log = AtomicLog.attach(handle, sorts[name].attach);
    const snapshot = log.snapshot();
    let sum = 0;
    parentPort.postMessage('polling');
    while (Atomics.load(progress, 1) === 0) {
      snapshot.refresh();
      for (const chunk of snapshot.chunks()) {
        const { data, offsets } = name === 'codec' ? chunk.encoded : chunk.column('text');
        sum +=
          data.length + offsets.length + chunk.at(0).text.length + chunk.at(chunk.length - 1).text.length;
      }
      Atomics.add(progress, 2, 1);
    }
    return sum;
  },

  /** Polls in a synchronous loop until progress[1] is set; counts up in progress[2]. */
  poll({ handle, progress, how }) {
    const log = AtomicLog.attach(handle);
    let snapshot = log.snapshot();
    let sum = 0;
    parentPort.postMessage('polling');
    while (Atomics.load(progress, 1) === 0) {
      if (how === 'refresh') {
        snapshot.refresh();
      } else {
        snapshot.close();
        snapshot = log.snapshot();
      }
      if (!snapshot.isEmpty) for (const { values } of snapshot.chunks()) sum += values[0];
      Atomics.add(progress, 2, 1);
    }
    return sum;
  },

  /** Follows until the log ends, and checks every value; reports seen and lost. */
  async follow({ handle, batchEntriesMax }) {
    const log = AtomicLog.attach(handle);
    let seen = 0;
    let next = log.firstIndex;
    let lost = next;
    const follower = log.follow({ from: next, batchEntriesMax });
    parentPort.postMessage('following');
    for await (const batch of follower) {
      lost += batch.lost;
      next += batch.lost;
      for (const value of batch) {
        if (value !== valueOf(next)) throw new Error(`entry ${next} is ${value}`);
        ++next;
        ++seen;
      }
    }
    parentPort.postMessage({ seen, lost });
  },

  /** Blocks for one entry after the other until the log ends; reports how many came. */
  waitSync({ handle }) {
    const log = AtomicLog.attach(handle);
    parentPort.postMessage('waiting');
    let index = 0;
    while (log.waitSync(index) === 'ready') ++index;
    parentPort.postMessage(index);
  },

  /** Waits for the claim, appends one entry, and reports its index. */
  async takeOver({ handle }) {
    const log = AtomicLog.attach(handle);
    parentPort.postMessage('standing by');
    const writer = await log.waitForWriter();
    parentPort.postMessage(writer.append(valueOf(writer.nextIndex)));
    writer.close();
  },

  /** Has native threads of this environment write and read, and is terminated somewhere in it. */
  nativeThreads({ handle, addonPath, consumedHandle }) {
    const client = require(addonPath);
    globalThis.held = [AtomicLog.attach(handle), AtomicLog.attach(consumedHandle)];
    const [produced, consumed] = globalThis.held;
    const started = [
      client.produce(produced.nativeHandle, 2 ** 31, 8, false),
      client.consume(consumed.nativeHandle),
    ];
    parentPort.postMessage(started);
    setInterval(() => {}, 1000);
  },

  /** Makes a log, reports its handle, follows it, and is terminated somewhere in it. */
  async makeAndFollow() {
    const log = new AtomicLog({ retainedCapacity: 512, segmentCapacity: 16 });
    parentPort.postMessage(log.handle);
    let next = 0;
    for await (const batch of log.follow({ from: 'oldest' })) {
      next = batch.firstIndex;
      for (const value of batch) if (value !== valueOf(next++)) throw new Error(`entry ${next - 1}`);
    }
  },

  /** Makes a log, reports its handle, and does everything with it. */
  makeAndTorture({ seed, sort }) {
    const capacities = { retainedCapacity: 512, segmentCapacity: 16 };
    globalThis.made = new AtomicLog({ ...capacities, ...sorts[sort].options });
    const { handle } = globalThis.made;
    parentPort.postMessage(handle);
    return roles.torture({ handle, seed, sort });
  },

  /** Everything at once, for ever: it is terminated somewhere in it. */
  async torture({ handle, seed, sort: name }) {
    const sort = sorts[name];
    const { entryOf, isEntry } = sort;
    const check = name === 'numbers' ? checkChunks : (snapshot) => checkEntries(snapshot, sort);
    let state = seed;
    const random = (n) => (state = (state * 48271) % 2147483647) % n;
    const log = AtomicLog.attach(handle, sort.attach);
    const other = AtomicLog.attach(handle, sort.attach);
    const kept = [];
    parentPort.postMessage('started');
    const append = (writer) => {
      // The codec of a log of that sort fails now and then; then nothing was stored.
      const attempt = (store) => {
        try {
          store(entryOf(writer.nextIndex));
        } catch (error) {
          if (error.message !== 'moody' && error.code !== 'ERR_CODEC_RESULT') throw error;
        }
      };
      for (let i = random(50); i > 0; --i) attempt((entry) => writer.append(entry));
      for (let i = random(10); i > 0; --i) attempt((entry) => writer.write(entry));
      if (random(2) === 0) writer.publish();
      const first = writer.nextIndex;
      if (random(2) === 0)
        writer.appendBatch(Array.from({ length: random(40) }, (_, i) => entryOf(first + i)));
      if (name !== 'numbers') return;
      const span = writer.reserve(1 + random(9));
      for (let i = 0; i < span.length; ++i) span.values[i] = valueOf(span.firstIndex + i);
      if (random(4) !== 0) writer.commit(random(span.length + 1));
    };
    const steps = [
      () => check(log.snapshot()),
      () => kept.push(log.snapshot()),
      () => kept.splice(random(kept.length + 1), 1)[0]?.close(),
      () => kept.length > 0 && kept[random(kept.length)].refresh(),
      () => kept.length > 0 && kept[random(kept.length)].extend(),
      () => kept.forEach(check),
      () => (kept.length = Math.min(kept.length, 8)),
      () => other.waitSync(other.endIndex, random(3)),
      () => {
        const writer = log.tryClaimWriter();
        if (writer === null) return;
        append(writer);
        if (random(8) !== 0) writer.close();
        else globalThis.writer = writer;
      },
      () => globalThis.writer?.close(),
      () => new Promise((resolve) => setImmediate(resolve)),
      async () => {
        const follower = log.follow({ from: 'oldest', batchEntriesMax: 1 + random(100) });
        let next = -1;
        for (let rounds = random(4); rounds > 0; --rounds) {
          const result = await Promise.race([
            follower.next(),
            new Promise((resolve) => setTimeout(resolve, 1)),
          ]);
          if (result === undefined || result.done) break;
          next = result.value.firstIndex;
          for (const value of result.value) if (!isEntry(value, next++)) throw new Error(`entry ${next - 1}`);
        }
        await follower.return();
      },
      async () => {
        const claim = log.waitForWriter({ signal: AbortSignal.timeout(1 + random(3)) });
        await claim.then(
          (writer) => (append(writer), writer.close()),
          () => {},
        );
      },
    ];
    for (;;) await steps[random(steps.length)]();
  },

  /** Refreshes and checks every value until the writer reaches `entries`; reports seen and lost. */
  verify({ handle, entries }) {
    const log = AtomicLog.attach(handle);
    const snapshot = log.snapshot();
    let seen = snapshot.length;
    let lost = snapshot.firstIndex;
    parentPort.postMessage('verifying');
    while (snapshot.endIndex < entries) {
      const change = snapshot.refresh();
      seen += change.appended;
      lost += change.lost;
      checkChunks(snapshot);
    }
    parentPort.postMessage({ seen, lost, endIndex: snapshot.endIndex });
    snapshot.close();
  },
};

if (parentPort !== null) roles[workerData.role](workerData);
