// The ways of peers.mjs to bring entries from one writer to its readers, seen
// from the writer. What the readers do is in peers-reader.mjs.
import { BroadcastChannel, MessageChannel } from 'node:worker_threads';
import { AtomicLog } from '../../dist/index.mjs';

/** Entries in a batch. */
export const BATCH = 64;
/** The log and the ring hold as many, so nothing is lost and the writer never waits. */
export const CAPACITY = 1 << 20;

const { RingBuffer } = await import('ringbuf.js').catch(() => ({}));
const { writer, log } = AtomicLog.claimed({ retainedCapacity: CAPACITY, segmentCapacity: CAPACITY / 16 });

const batch = new Float64Array(BATCH).fill(3);
const valueOf = (i) => i & 1023;

function appendEach(count) {
  for (let i = 0; i < count; ++i) writer.append(valueOf(i));
}

function appendBatches(count) {
  for (let i = 0; i < count; i += BATCH) writer.appendBatch(batch);
}

/** Readers share one log; they only differ in how they learn of news. */
function logRead(how) {
  return () => ({ how, ends: () => [{ handle: log.handle }], each: appendEach, batches: appendBatches });
}

function ring() {
  const storage = RingBuffer.getStorageForCapacity(CAPACITY, Float64Array);
  const ringBuffer = new RingBuffer(storage, Float64Array);
  const one = new Float64Array(1);
  return {
    how: 'ring',
    ends: () => [{ storage }],
    each(count) {
      for (let i = 0; i < count; ++i) {
        one[0] = valueOf(i);
        ringBuffer.push(one);
      }
    },
    batches(count) {
      for (let i = 0; i < count; i += BATCH) ringBuffer.push(batch);
    },
  };
}

/** One port per reader: there is no way to post to several at once. */
function messagePorts({ transfers }) {
  return (readers) => {
    const channels = Array.from({ length: readers }, () => new MessageChannel());
    const ports = channels.map(({ port1 }) => port1);
    const ends = channels.map(({ port2 }) => [{ port: port2 }, [port2]]);
    return {
      how: 'port',
      ends: (reader) => ends[reader],
      each(count) {
        for (let i = 0; i < count; ++i) for (const port of ports) port.postMessage(valueOf(i));
      },
      batches(count) {
        for (let i = 0; i < count; i += BATCH) {
          for (const port of ports) {
            if (!transfers) {
              port.postMessage(batch);
              continue;
            }
            const copy = batch.slice();
            port.postMessage(copy, [copy.buffer]);
          }
        }
      },
      close: () => ports.forEach((port) => port.close()),
    };
  };
}

function broadcast() {
  const channel = new BroadcastChannel('atomic-log-benchmark');
  return {
    how: 'broadcast',
    ends: () => [{ channel: channel.name }],
    each(count) {
      for (let i = 0; i < count; ++i) channel.postMessage(valueOf(i));
    },
    batches(count) {
      for (let i = 0; i < count; i += BATCH) channel.postMessage(batch);
    },
    close: () => channel.close(),
  };
}

/**
 * `messages`: how many a burst has for one reader; the ways that do not post
 * fill the window instead.
 *
 * @type {{ name: string, open: Function, readersMax?: number, messages?: number, shapes?: string[] }[]}
 */
export const ways = [
  { name: 'atomic-log, polled every ms', open: logRead('poll') },
  { name: 'atomic-log, follow()', open: logRead('follow') },
  ...(RingBuffer === undefined
    ? []
    : [{ name: 'ringbuf.js, polled every ms (one reader only)', open: ring, readersMax: 1 }]),
  { name: 'MessagePort', open: messagePorts({ transfers: false }), messages: 20_000 },
  {
    name: 'MessagePort, transferred',
    open: messagePorts({ transfers: true }),
    messages: 20_000,
    shapes: ['batches'],
  },
  { name: 'BroadcastChannel', open: broadcast, messages: 20_000 },
];
