// What do rows cost a reader, two fields of five, beside an array of as many objects? And
// entries of a log of numbers beside a plain loop?
import { AtomicLog } from '../../dist/index.mjs';
import { compare, report } from '../measure.mjs';
import { sumOfBareCursor, sumOfBareObjects, sumOfBareRows } from './rows-bare.mjs';

const ENTRIES = 65_536;
const size = { retainedCapacity: ENTRIES, segmentCapacity: 4096 };
const schema = { time: 'f64', price: 'f64', size: 'f64', fee: 'f64', venue: 'f64' };
const objects = Array.from({ length: ENTRIES }, (_, i) => ({
  time: i,
  price: 100 + (i % 7),
  size: i % 1000,
  fee: 0.5,
  venue: i % 5,
}));
const records = AtomicLog.claimed({ ...size, schema });
records.writer.appendBatch(objects);
const snapshot = records.log.snapshot();

const columns = snapshot.chunks().map((chunk) => [chunk.column('price'), chunk.column('size')]);

const plain = Float64Array.from({ length: ENTRIES }, (_, i) => i);
const numbers = AtomicLog.claimed(size);
numbers.writer.appendBatch(plain);
const numberSnapshot = numbers.log.snapshot();

/** One pass over all entries, so many times. */
function passes(operations, sum) {
  return {
    operations,
    per: ENTRIES,
    run(times) {
      let total = 0;
      for (let i = 0; i < times; ++i) total += sum();
      return total;
    },
  };
}

const ways = {
  'array of objects'() {
    let sum = 0;
    for (const row of objects) sum += row.price * row.size;
    return sum;
  },
  rows() {
    let sum = 0;
    for (const row of snapshot.rows()) sum += row.price * row.size;
    return sum;
  },
  cursor() {
    let sum = 0;
    const row = snapshot.cursor();
    while (row.next()) sum += row.get('price') * row.get('size');
    return sum;
  },
  iterator() {
    let sum = 0;
    for (const row of snapshot) sum += row.price * row.size;
    return sum;
  },
  columns() {
    let sum = 0;
    for (const chunk of snapshot.chunks()) {
      const price = chunk.column('price');
      const size = chunk.column('size');
      for (let i = 0; i < chunk.length; ++i) sum += price[i] * size[i];
    }
    return sum;
  },
};

const figureOf = compare({
  'array of objects': passes(5, ways['array of objects']),
  rows: passes(3, ways.rows),
  cursor: passes(2, ways.cursor),
  iterator: passes(2, ways.iterator),
  columns: passes(5, ways.columns),
  'bare rows': passes(3, () => sumOfBareRows(columns)),
  'bare cursor': passes(3, () => sumOfBareCursor(columns)),
  'bare objects': passes(2, () => sumOfBareObjects(columns)),
  'for ... of a Float64Array': passes(3, () => {
    let sum = 0;
    for (const value of plain) sum += value;
    return sum;
  }),
  'plain loop': passes(5, () => {
    let sum = 0;
    for (let i = 0; i < plain.length; ++i) sum += plain[i];
    return sum;
  }),
  numbers: passes(3, () => {
    let sum = 0;
    for (const value of numberSnapshot) sum += value;
    return sum;
  }),
});

/** In the unit of the row. */
const takes = (name, unit) => `takes ${figureOf(name, unit).ratio.toFixed(2)} times as long`;
const objectsTake = (name) => takes(name, 'array of objects');

const HOWS = [
  [
    'rows',
    'for ... of snapshot.rows()',
    1,
    `the objects lie one after the other in the processor's cache; an iterator with one row and two getters that checks nothing ${objectsTake('bare rows')}, the loop over the columns ${objectsTake('columns')}`,
  ],
  ['cursor', 'cursor()', 2, `a bare row that is moved and checks nothing ${objectsTake('bare cursor')}`],
  [
    'iterator',
    'for ... of a snapshot, a new object each',
    5,
    `a bare iterator that returns a new object of five fields ${objectsTake('bare objects')}`,
  ],
  ['columns', 'chunk.column()', null],
];

report([
  ...HOWS.map(([name, how, target, reason]) => ({
    operation: `reading two fields of five through ${how}, per record`,
    ...figureOf(name, 'array of objects'),
    target,
    reason,
  })),
  {
    operation: 'reading numbers through for ... of a snapshot, per entry',
    ...figureOf('numbers', 'plain loop'),
    target: 2.5,
    reason: `for ... of a Float64Array, which V8 knows, ${takes('for ... of a Float64Array', 'plain loop')}`,
  },
]);
