// A reader of peers.mjs: takes every entry in one of the ways and adds them up.
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads';

const { how, end, reader, burst, bursts, doneBursts, doneAt } = workerData;
const total = burst * bursts;
const result = { received: 0, lost: 0, sum: 0 };
const pause = new Int32Array(new SharedArrayBuffer(4));

/** A poll in a millisecond, as with a timer. */
const rest = () => Atomics.wait(pause, 0, 0, 1);

/** True when it was the last of all. */
function take(count, sum, lost = 0) {
  const before = Math.floor((result.received + result.lost) / burst);
  result.received += count;
  result.lost += lost;
  result.sum += sum;
  const after = Math.floor((result.received + result.lost) / burst);
  if (after > before) {
    doneAt[reader] = process.hrtime.bigint();
    Atomics.store(doneBursts, reader, after);
  }
  return result.received + result.lost >= total;
}

function sumOf(values, from, to) {
  let sum = 0;
  for (let i = from; i < to; ++i) sum += values[i];
  return sum;
}

const takeMessage = (data) =>
  typeof data === 'number' ? take(1, data) : take(data.length, sumOf(data, 0, data.length));

const ready = () => parentPort.postMessage('ready');
const finish = () => parentPort.postMessage(result);

const readers = {
  async poll() {
    const { AtomicLog } = await import('../../dist/index.mjs');
    const log = AtomicLog.attach(end.handle);
    const snapshot = log.snapshot();
    let next = snapshot.endIndex;
    ready();
    for (let isLast = false; !isLast;) {
      const { appended, lost } = snapshot.refresh();
      if (appended === 0) {
        rest();
        continue;
      }
      let sum = 0;
      for (const { firstIndex, length, values } of snapshot.chunks()) {
        if (firstIndex + length > next) sum += sumOf(values, Math.max(0, next - firstIndex), length);
      }
      next = snapshot.endIndex;
      isLast = take(appended, sum, lost);
    }
    snapshot.close();
    finish();
  },

  async follow() {
    const { AtomicLog } = await import('../../dist/index.mjs');
    const batches = AtomicLog.attach(end.handle).follow({ from: 'latest' });
    ready();
    for await (const batch of batches) {
      let sum = 0;
      for (const { values } of batch.chunks()) sum += sumOf(values, 0, values.length);
      if (take(batch.length, sum, batch.lost)) break;
    }
    finish();
  },

  async ring() {
    const { RingBuffer } = await import('ringbuf.js');
    const ring = new RingBuffer(end.storage, Float64Array);
    const values = new Float64Array(65_536);
    ready();
    for (let isLast = false; !isLast;) {
      const count = ring.pop(values);
      if (count === 0) rest();
      else isLast = take(count, sumOf(values, 0, count));
    }
    finish();
  },

  port() {
    const { port } = end;
    port.on('message', (data) => {
      if (!takeMessage(data)) return;
      finish();
      port.close();
    });
    ready();
  },

  broadcast() {
    const channel = new BroadcastChannel(end.channel);
    channel.onmessage = ({ data }) => {
      if (!takeMessage(data)) return;
      finish();
      channel.close();
    };
    ready();
  },
};

await readers[how]();
