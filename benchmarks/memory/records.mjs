// What do records of five columns cost, beside an array of plain objects?
import { AtomicLog } from '../../dist/index.mjs';
import { bestCopy } from '../copy-unit.mjs';
import { compare, emptyCall, report } from '../measure.mjs';
import { sumOfBareCursor, sumOfBareObjects, sumOfBareRows } from './rows-bare.mjs';

const SEGMENT = 4096;
const schema = { time: 'f64', bid: 'f64', ask: 'f64', size: 'u32', venue: 'u8' };
const options = { retainedCapacity: 16 * SEGMENT, segmentCapacity: SEGMENT, schema };
const BATCH = 1024;

// Prices with fractions: an object has a number on the heap for each, and not for whole ones.
const record = (i) => ({
  time: i,
  bid: 100.25 + (i % 7),
  ask: 101.5 + (i % 7),
  size: i % 1000,
  venue: i % 5,
});
const batchColumns = {
  time: new Float64Array(BATCH).fill(1.5),
  bid: new Float64Array(BATCH).fill(100.5),
  ask: new Float64Array(BATCH).fill(101.5),
  size: new Uint32Array(BATCH).fill(10),
  venue: new Uint8Array(BATCH).fill(3),
};

const SMALL = 64;
const smallBatch = Array.from({ length: SMALL }, (_, i) => record(i));
const smallColumns = Object.fromEntries(
  Object.entries(batchColumns).map(([name, column]) => [name, column.slice(0, SMALL)]),
);
const small = AtomicLog.claimed(options).writer;

/** Batches of SMALL records, as objects or as columns. */
const smallBatches = (batch) => ({
  operations: 3000,
  per: SMALL,
  run(operations) {
    for (let i = 0; i < operations; ++i) small.appendBatch(batch);
  },
});

const { writer, log } = AtomicLog.claimed(options);
const rows = Array.from({ length: 16 * SEGMENT }, (_, i) => record(i));
writer.appendBatch(rows);
const snapshot = log.snapshot();
const columns = snapshot.chunks().map((chunk) => [chunk.column('ask'), chunk.column('size')]);

const numbers = AtomicLog.claimed({ retainedCapacity: 16 * SEGMENT, segmentCapacity: SEGMENT }).writer;
/** One place for each column; that it is always the same one is to the advantage of the bare loop. */
const stored = Object.values(batchColumns).map((column) => column.slice(0, 1));

/** The same records made, their keys counted, and their fields stored, without a log or a check. */
function storeBare(operations) {
  const [time, bid, ask, size, venue] = stored;
  let keys = 0;
  for (let i = 0; i < operations; ++i) {
    const made = record(i);
    for (const key in made) if (key !== '') ++keys;
    time[0] = made.time;
    bid[0] = made.bid;
    ask[0] = made.ask;
    size[0] = made.size;
    venue[0] = made.venue;
  }
  return keys;
}

/** One pass over all rows, so many times. */
const passes = (operations, sum) => ({
  operations,
  per: rows.length,
  run(times) {
    let total = 0;
    for (let i = 0; i < times; ++i) total += sum();
    return total;
  },
});

const figureOf = compare({
  E: emptyCall,
  M: bestCopy(Object.values(batchColumns), {
    targets: 18 * (SEGMENT / BATCH),
    operations: 4000,
    per: BATCH,
  }),
  append: {
    operations: 200_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.append(record(i));
    },
  },
  bareRecord: { operations: 200_000, run: storeBare },
  publish: {
    operations: 200_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) numbers.publish();
    },
  },
  'bare rows': passes(3, () => sumOfBareRows(columns)),
  'bare cursor': passes(3, () => sumOfBareCursor(columns)),
  'bare objects': passes(2, () => sumOfBareObjects(columns)),
  batch: {
    operations: 4000,
    per: BATCH,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.appendBatch(batchColumns);
    },
  },
  smallBatch: smallBatches(smallBatch),
  smallColumns: smallBatches(smallColumns),
  'array of objects': {
    operations: 5,
    per: rows.length,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) {
        for (const row of rows) sum += (row.ask - row.bid) * row.size + row.time + row.venue;
      }
      return sum;
    },
  },
  'two fields of the objects': {
    operations: 5,
    per: rows.length,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) for (const row of rows) sum += row.ask * row.size;
      return sum;
    },
  },
  rows: {
    operations: 5,
    per: rows.length,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) {
        for (const row of snapshot.rows()) sum += (row.ask - row.bid) * row.size + row.time + row.venue;
      }
      return sum;
    },
  },
  twoOfRows: {
    operations: 5,
    per: rows.length,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) for (const row of snapshot.rows()) sum += row.ask * row.size;
      return sum;
    },
  },
  twoOfCursor: {
    operations: 5,
    per: rows.length,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) {
        const row = snapshot.cursor();
        while (row.next()) sum += row.get('ask') * row.get('size');
      }
      return sum;
    },
  },
  twoOfIterator: {
    operations: 2,
    per: rows.length,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) for (const row of snapshot) sum += row.ask * row.size;
      return sum;
    },
  },
  cursor: {
    operations: 2,
    per: rows.length,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) {
        const row = snapshot.cursor();
        while (row.next()) {
          sum += (row.get('ask') - row.get('bid')) * row.get('size') + row.get('time') + row.get('venue');
        }
      }
      return sum;
    },
  },
  iterator: {
    operations: 2,
    per: rows.length,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) {
        for (const row of snapshot) sum += (row.ask - row.bid) * row.size + row.time + row.venue;
      }
      return sum;
    },
  },
  columns: {
    operations: 5,
    per: rows.length,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) {
        for (const chunk of snapshot.chunks()) {
          const time = chunk.column('time');
          const bid = chunk.column('bid');
          const ask = chunk.column('ask');
          const size = chunk.column('size');
          const venue = chunk.column('venue');
          for (let j = 0; j < chunk.length; ++j) sum += (ask[j] - bid[j]) * size[j] + time[j] + venue[j];
        }
      }
      return sum;
    },
  },
});

const inE = (name) => `${figureOf(name, 'E').ratio.toFixed(2)} E`;
const objectsTake = (name) =>
  `takes ${figureOf(name, 'two fields of the objects').ratio.toFixed(2)} times as long`;

report([
  {
    operation: 'append of a record with five columns',
    ...figureOf('append', 'E'),
    target: 3.5,
    reason: `making the record, counting its keys with for ... in and storing its fields takes ${inE('bareRecord')} without a check, and publish() ${inE('publish')}`,
  },
  {
    operation: 'appendBatch of 64 records with five columns, per record',
    ...figureOf('smallBatch', 'E'),
    target: 8,
  },
  {
    operation: 'appendBatch of 64 records with five columns, as columns, per record',
    ...figureOf('smallColumns', 'E'),
    target: 4,
  },
  {
    operation: 'appendBatch of 1024 records by columns, per record',
    ...figureOf('batch', 'M'),
    target: null,
  },
  ...[
    [
      'twoOfRows',
      'rows()',
      1,
      `the objects lie one after the other in the processor's cache; an iterator with one row and two getters that checks nothing ${objectsTake('bare rows')}`,
    ],
    [
      'twoOfCursor',
      'cursor()',
      2,
      `a bare row that is moved and checks nothing ${objectsTake('bare cursor')}`,
    ],
    [
      'twoOfIterator',
      'for ... of a snapshot',
      5,
      `a bare iterator that returns a new object of five fields ${objectsTake('bare objects')}`,
    ],
  ].map(([name, how, target, reason]) => ({
    operation: `reading two fields of five of records through ${how}, per record`,
    ...figureOf(name, 'two fields of the objects'),
    target,
    reason,
  })),
  ...[
    ['columns', 'chunk.column()'],
    ['rows', 'rows()'],
    ['cursor', 'cursor()'],
    ['iterator', 'for ... of a snapshot'],
  ].map(([name, how]) => ({
    operation: `reading five columns of records through ${how}, per record`,
    ...figureOf(name, 'array of objects'),
    target: null,
  })),
]);
