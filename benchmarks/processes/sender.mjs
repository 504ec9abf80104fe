// What does it cost a process to give another one eight numbers, by the log and by what
// Node has for it? The sender's time in the calls, which do not block: it sends a group,
// and waits until the receiver has it, so that nothing piles up and is sent as one.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { AtomicLog } from '../../dist/index.mjs';
import { figure, median, report, roundsOf, time, warmupOf } from '../measure.mjs';
import { canShareLogs, startProcess, withMemoryDirectory } from './shared-place.mjs';

const ROUNDS = 15;
const GROUPS = roundsOf(50);
const BATCH = 64;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
/** What the log is to take of the others' time, at most. */
const SHARE = 0.1;

const SIZE = { retainedCapacity: 1 << 13, segmentCapacity: 1 << 10 };
const RECORDS = { ...SIZE, schema: Object.fromEntries(NAMES.map((name) => [name, 'f64'])) };
const NUMBERS = { retainedCapacity: 8 * SIZE.retainedCapacity, segmentCapacity: 8 * SIZE.segmentCapacity };

const numbers = NAMES.map((_, i) => i / 3);
const record = Object.fromEntries(NAMES.map((name, i) => [name, numbers[i]]));
const columns = Object.fromEntries(NAMES.map((name, i) => [name, new Float64Array(BATCH).fill(numbers[i])]));
const array = Float64Array.from({ length: BATCH * 8 }, (_, i) => numbers[i % 8]);
const bytes = new Uint8Array(array.buffer);

/** Records in a group: what a socket takes at once, 32 batches. */
const GROUP = 32 * BATCH;
const MESSAGES = 200;

/** A log that another process follows; a record is `entries` of it. */
async function logWay(path, options, entries, send) {
  const log = await AtomicLog.open(path, options);
  const writer = log.tryClaimWriter();
  const receiver = await startProcess('sender-receiver.mjs', [String(GROUP), 'log', path, String(entries)]);
  return { receiver, group: GROUP, send: (records) => send(writer, records) };
}

function sendNumbers(writer, records) {
  for (let i = 0; i < records; i += BATCH) writer.appendBatch(array);
}

/** Each way has a receiver of its own. */
const ways = {
  records: (directory) =>
    logWay(join(directory, 'records'), RECORDS, 1, (writer, records) => {
      for (let i = 0; i < records; ++i) writer.append(record);
    }),

  columns: (directory) =>
    logWay(join(directory, 'columns'), RECORDS, 1, (writer, records) => {
      for (let i = 0; i < records; i += BATCH) writer.appendBatch(columns);
    }),

  numbers: (directory) => logWay(join(directory, 'numbers'), NUMBERS, 8, sendNumbers),

  /** The same, with no one to wake. */
  async unwatched(directory) {
    const log = await AtomicLog.open(join(directory, 'unwatched'), NUMBERS);
    const writer = log.tryClaimWriter();
    return { group: GROUP, send: (records) => sendNumbers(writer, records) };
  },

  async 'process.send'() {
    const receiver = await startProcess('sender-receiver.mjs', [String(MESSAGES), 'messages']);
    return {
      receiver,
      group: MESSAGES,
      send(records) {
        for (let i = 0; i < records; ++i) receiver.send(numbers);
      },
    };
  },

  async 'Unix socket'(directory) {
    const path = join(directory, 'socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    const connection = once(server, 'connection');
    const receiver = await startProcess('sender-receiver.mjs', [String(GROUP), 'socket', path]);
    const [socket] = await connection;
    server.close();
    return {
      receiver,
      group: GROUP,
      send(records) {
        for (let i = 0; i < records; i += BATCH) socket.write(bytes);
      },
    };
  },
};

/** Nanoseconds per record in the calls that send it. */
async function nanoseconds({ receiver, group, send }) {
  const groups = [];
  for (let i = 0; i < GROUPS; ++i) {
    const all = receiver && once(receiver, 'message');
    groups.push(time(send, group));
    await all;
  }
  return median(groups);
}

async function main(directory) {
  const open = {};
  for (const [name, start] of Object.entries(ways)) open[name] = await start(directory);
  const samples = [];
  for (let round = -warmupOf(2); round < roundsOf(ROUNDS); ++round) {
    const sample = {};
    for (const [name, way] of Object.entries(open)) sample[name] = await nanoseconds(way);
    if (round >= 0) samples.push(sample);
  }
  for (const { receiver } of Object.values(open)) receiver?.kill();
  return samples;
}

if (canShareLogs) {
  const samples = await withMemoryDirectory(main);
  const of = (what) => samples.map((sample) => sample[what]);
  const row = (operation, what, unit, target, reason) => ({
    operation,
    ...figure(
      of(what),
      of(what).map((ns, round) => ns / of(unit)[round]),
      unit,
    ),
    target,
    reason,
    note: `${unit} takes ${median(of(unit)).toFixed(0)} ns`,
  });
  const unwatched = median(of('unwatched').map((ns, round) => ns / of('Unix socket')[round]));
  const reason = `with no follower to wake, it takes ${unwatched.toFixed(2)} of the socket's time; the rest is one wake-up of a thread that sleeps, for ${GROUP / BATCH} batches`;
  const each = "sender's time per record of eight numbers, to another process";
  report([
    row(`${each}, one by one`, 'records', 'process.send', SHARE),
    row(`${each}, ${BATCH} in a batch, as one array of numbers`, 'numbers', 'Unix socket', SHARE, reason),
    row(`${each}, ${BATCH} in a batch, as eight columns`, 'columns', 'Unix socket', null),
  ]);
}
