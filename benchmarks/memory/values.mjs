// What do values of variable size cost, beside the bare work on the same text?
import { AtomicLog, json, utf8 } from '../../dist/index.mjs';
import { compare, emptyCall, report } from '../measure.mjs';

const size = { retainedCapacity: 65_536, segmentCapacity: 4096 };
const COUNT = 64;
const texts = (length) =>
  Array.from({ length: COUNT }, (_, i) => `${i} the quick brown fox `.repeat(20).slice(0, length));
const short = texts(12);
const long = texts(200);
const objects = Array.from({ length: COUNT }, (_, i) => ({
  id: i,
  side: 'buy',
  price: 101.5,
  tags: ['a', 'b'],
}));
const rows = Array.from({ length: COUNT }, (_, i) => ({
  time: i,
  price: i / 2,
  size: i,
  side: 1,
  venue: short[i],
}));

function claimed(options) {
  const { writer, log } = AtomicLog.claimed({ ...size, ...options });
  return { writer, log };
}

function appends(writer, values) {
  return {
    operations: 200_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.append(values[i % COUNT]);
    },
  };
}

function batches(writer, values) {
  return {
    operations: 2000,
    per: COUNT,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.appendBatch(values);
    },
  };
}

/** The bare work: the text into memory of the window's size, without a log. */
function writes(values) {
  const bytes = Buffer.alloc(17 * 4096 * 200);
  let at = 0;
  return {
    operations: 200_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) {
        at = at + 200 > bytes.length - 200 ? 0 : at;
        at += bytes.write(values[i % COUNT], at);
      }
    },
  };
}

function reads(log, values) {
  const writer = log.tryClaimWriter();
  for (let i = 0; i < 8192; ++i) writer.append(values[i % COUNT]);
  const snapshot = log.snapshot();
  return {
    operations: 100_000,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) sum += snapshot.at(i & 4095) === undefined ? 1 : 0;
      return sum;
    },
  };
}

/** The bare work of reading: the same strings out of memory. */
function decodes(values) {
  const bytes = Buffer.from(values.join(''));
  const ends = [0];
  for (const value of values) ends.push(ends.at(-1) + Buffer.byteLength(value));
  return {
    operations: 100_000,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) {
        sum += bytes.toString('utf8', ends[i % COUNT], ends[(i % COUNT) + 1]).length;
      }
      return sum;
    },
  };
}

const fields = { time: 'f64', price: 'f64', size: 'u32', side: 'u8' };
const columns = {
  time: Float64Array.from(rows, ({ time }) => time),
  price: Float64Array.from(rows, ({ price }) => price),
  size: Uint32Array.from(rows, ({ size: count }) => count),
  side: Uint8Array.from(rows, ({ side }) => side),
  venue: rows.map(({ venue }) => venue),
};
const { venue: venues, ...numberColumns } = columns;
const bytes = Buffer.alloc(4096);

/** What a column of texts cannot do without: all of them joined, where each ends, and one call that writes them. */
function joinsTexts(operations) {
  const ends = [];
  let written = 0;
  for (let i = 0; i < operations; ++i) {
    let text = '';
    let end = 0;
    ends.length = 0;
    for (const venue of venues) {
      text += venue;
      ends.push((end += venue.length));
    }
    written += bytes.write(text);
  }
  return written;
}

const venueLog = () => claimed({ schema: { ...fields, venue: 'utf8' } });
const textLog = () => claimed({ codec: utf8, dataBytes: 2 ** 20 });
const jsonTexts = objects.map((object) => JSON.stringify(object));

const figureOf = compare({
  E: emptyCall,
  writeShort: writes(short),
  writeLong: writes(long),
  stringify: {
    operations: 100_000,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) sum += JSON.stringify(objects[i % COUNT]).length;
      return sum;
    },
  },
  parse: {
    operations: 50_000,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) sum += JSON.parse(jsonTexts[i % COUNT]).id;
      return sum;
    },
  },
  decodeShort: decodes(short),
  decodeLong: decodes(long),
  row: appends(venueLog().writer, rows),
  rowBatch: batches(venueLog().writer, rows),
  columnBatch: batches(venueLog().writer, columns),
  numberBatch: batches(claimed({ schema: fields }).writer, numberColumns),
  joins: { operations: 2000, per: COUNT, run: joinsTexts },
  short: appends(textLog().writer, short),
  long: appends(textLog().writer, long),
  shortBatch: batches(textLog().writer, short),
  json: appends(claimed({ codec: json(), dataBytes: 2 ** 20 }).writer, objects),
  readShort: reads(new AtomicLog({ ...size, codec: utf8 }), short),
  readLong: reads(new AtomicLog({ ...size, codec: utf8, dataBytes: 2 ** 20 }), long),
  readJson: reads(new AtomicLog({ ...size, codec: json(), dataBytes: 2 ** 20 }), objects),
});

const inE = (name) => `${figureOf(name, 'E').ratio.toFixed(2)} E`;
const row = (operation, name, unit, as, target = null, reason = undefined) => ({
  operation,
  ...figureOf(name, unit),
  unit: as,
  target,
  reason,
});

report([
  row('append, record of four numbers and a string', 'row', 'E', 'E', 8),
  row('appendBatch of 64 such records, per entry', 'rowBatch', 'E', 'E', 8),
  row(
    'appendBatch of 64 as columns, per entry',
    'columnBatch',
    'E',
    'E',
    4,
    `the four columns of numbers alone take ${inE('numberBatch')} of it; joining the texts, noting where each ends and writing them with one Buffer.write take ${inE('joins')} without a check; the rest checks each text, and copies bytes and offsets to where the segment has room`,
  ),
  row('append, string of 12 bytes', 'short', 'writeShort', 'Buffer.write'),
  row('append, string of 200 bytes', 'long', 'writeLong', 'Buffer.write'),
  row('appendBatch of 64 strings of 12 bytes, per entry', 'shortBatch', 'writeShort', 'Buffer.write'),
  row('append, object as JSON', 'json', 'stringify', 'JSON.stringify'),
  row('at(i), string of 12 bytes', 'readShort', 'decodeShort', 'Buffer.toString'),
  row('at(i), string of 200 bytes', 'readLong', 'decodeLong', 'Buffer.toString'),
  row('at(i), object from JSON', 'readJson', 'parse', 'JSON.parse'),
]);
