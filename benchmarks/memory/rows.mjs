// What do rows cost a reader, two fields of five, beside an array of as many objects? And
// entries of a log of numbers beside a plain loop?
import { AtomicLog } from '../../dist/index.mjs';
import { compare, report } from '../measure.mjs';

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

const figureOf = compare({
  'array of objects': passes(5, () => {
    let sum = 0;
    for (const row of objects) sum += row.price * row.size;
    return sum;
  }),
  rows: passes(3, () => {
    let sum = 0;
    for (const row of snapshot.rows()) sum += row.price * row.size;
    return sum;
  }),
  cursor: passes(2, () => {
    let sum = 0;
    const row = snapshot.cursor();
    while (row.next()) sum += row.get('price') * row.get('size');
    return sum;
  }),
  iterator: passes(2, () => {
    let sum = 0;
    for (const row of snapshot) sum += row.price * row.size;
    return sum;
  }),
  columns: passes(5, () => {
    let sum = 0;
    for (const chunk of snapshot.chunks()) {
      const price = chunk.column('price');
      const size = chunk.column('size');
      for (let i = 0; i < chunk.length; ++i) sum += price[i] * size[i];
    }
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

report([
  ...[
    ['rows', 'for ... of snapshot.rows()', 1],
    ['cursor', 'cursor()', 2],
    ['iterator', 'for ... of a snapshot, a new object each', 5],
    ['columns', 'chunk.column()', null],
  ].map(([name, how, target]) => ({
    operation: `reading two fields of five through ${how}, per record`,
    ...figureOf(name, 'array of objects'),
    target,
  })),
  {
    operation: 'reading numbers through for ... of a snapshot, per entry',
    ...figureOf('numbers', 'plain loop'),
    target: 2.5,
  },
]);
