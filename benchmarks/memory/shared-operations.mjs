// A child of shared.mjs and of processes/operations.mjs: times the operations of a log
// with the mapping that the argument names, or of one that processes share in the
// directory that it names, and prints nanoseconds per entry or call.
import { join } from 'node:path';
import { AtomicLog, utf8 } from '../../dist/index.mjs';
import { median, roundsOf, warmupOf } from '../measure.mjs';

const [, , mapping, directory] = process.argv;
const SEGMENT = 4096;
const size = { retainedCapacity: 16 * SEGMENT, segmentCapacity: SEGMENT };

function claimed(name, options) {
  if (directory === undefined) return AtomicLog.claimed({ ...size, ...options, mapping });
  const log = AtomicLog.openSync(join(directory, name), { ...size, ...options });
  return { log, writer: log.tryClaimWriter() };
}

const { writer, log } = claimed('numbers', {});
const records = claimed('records', {
  schema: { time: 'f64', bid: 'f64', ask: 'f64', size: 'u32', venue: 'u8' },
});
const texts = claimed('texts', { codec: utf8 });
const batch64 = new Float64Array(64).fill(1.5);
const batch4096 = new Float64Array(SEGMENT).fill(1.5);

/** Runs `operation` so many times; `per` is the number of entries in it. */
const timed = (times, operation, per = 1) => ({ times, operation, per });

function sumOf(snapshot) {
  let sum = 0;
  for (const { values } of snapshot.chunks()) {
    for (let i = 0; i < values.length; ++i) sum += values[i];
  }
  return sum;
}

// Whoever is asked first leaves the window full for the others.
const operations = {
  'append, each published': timed(1_000_000, (times) => {
    for (let i = 0; i < times; ++i) writer.append(i * 0.5);
  }),
  'write x64 then publish, per entry': timed(
    20_000,
    (times) => {
      for (let i = 0; i < times; ++i) {
        for (let j = 0; j < 64; ++j) writer.write(j * 0.5);
        writer.publish();
      }
    },
    64,
  ),
  'appendBatch(64), per entry': timed(
    64_000,
    (times) => {
      for (let i = 0; i < times; ++i) writer.appendBatch(batch64);
    },
    64,
  ),
  'appendBatch(4096), a roll each, per entry': timed(
    5000,
    (times) => {
      for (let i = 0; i < times; ++i) writer.appendBatch(batch4096);
    },
    SEGMENT,
  ),
  'refresh(), nothing new': timed(1_000_000, (times) => {
    const snapshot = log.snapshot();
    for (let i = 0; i < times; ++i) snapshot.refresh();
    snapshot.close();
  }),
  'snapshot() + close(), 17 segments, nothing rolled': timed(200_000, (times) => {
    for (let i = 0; i < times; ++i) log.snapshot().close();
  }),
  'sum over chunks(), f64, per entry': timed(
    40,
    (times) => {
      const snapshot = log.snapshot();
      let sum = 0;
      for (let i = 0; i < times; ++i) sum += sumOf(snapshot);
      snapshot.close();
      return sum;
    },
    size.retainedCapacity,
  ),
  'snapshot.at(i)': timed(500_000, (times) => {
    const snapshot = log.snapshot();
    let sum = 0;
    for (let i = 0; i < times; ++i) sum += snapshot.at((i * 40_503) % size.retainedCapacity);
    snapshot.close();
    return sum;
  }),
  'append of a record with five columns': timed(200_000, (times) => {
    for (let i = 0; i < times; ++i) {
      records.writer.append({ time: i, bid: i / 2, ask: i / 4, size: i % 1000, venue: i % 5 });
    }
  }),
  'append, string of 12 bytes': timed(200_000, (times) => {
    for (let i = 0; i < times; ++i) texts.writer.append('twelve bytes');
  }),
  'at(i), string of 12 bytes': timed(100_000, (times) => {
    const snapshot = texts.log.snapshot();
    let bytes = 0;
    for (let i = 0; i < times; ++i) bytes += snapshot.at(i & (SEGMENT - 1)).length;
    snapshot.close();
    return bytes;
  }),
};

if (log.mapping !== mapping) throw new Error(`asked for ${mapping}, got ${log.mapping}`);
const result = {};
for (const [name, { times, operation, per }] of Object.entries(operations)) {
  const samples = [];
  for (let i = -warmupOf(2); i < roundsOf(9); ++i) {
    const start = process.hrtime.bigint();
    operation(times);
    if (i >= 0) samples.push(Number(process.hrtime.bigint() - start) / times / per);
  }
  result[name] = median(samples);
}
process.stdout.write(JSON.stringify(result));
