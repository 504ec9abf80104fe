// What does one entry cost a reader that does not go through chunks?
import { AtomicLog } from '../../dist/index.mjs';
import { compare, emptyCall, report } from '../measure.mjs';

const ENTRIES = 65_536;
const { writer, log } = AtomicLog.claimed({ retainedCapacity: ENTRIES, segmentCapacity: 4096 });
for (let i = 0; i < ENTRIES; ++i) writer.append(i * 2);
const snapshot = log.snapshot();
const plain = Float64Array.from({ length: ENTRIES }, (_, i) => i * 2);
// A step that visits every position, so that no guess about the next one helps.
const STEP = 40_503;

/** lowerBound() of an ordinary typed array. */
function lowerBound(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function atEach(at, operations) {
  return {
    operations,
    run(times) {
      let sum = 0;
      for (let i = 0, position = 0; i < times; ++i) {
        sum += at(position);
        position = (position + STEP) % ENTRIES;
      }
      return sum;
    },
  };
}

const figureOf = compare({
  E: emptyCall,
  latest: {
    operations: 300_000,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) sum += log.latest();
      return sum;
    },
  },
  'for ... of a Float64Array': {
    operations: 5,
    per: ENTRIES,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) for (const value of plain) sum += value;
      return sum;
    },
  },
  iterator: {
    operations: 5,
    per: ENTRIES,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) for (const value of snapshot) sum += value;
      return sum;
    },
  },
  at: atEach((position) => snapshot.at(position), 500_000),
  'binary search of a typed array': atEach((position) => lowerBound(plain, position * 2), 100_000),
  lowerBound: atEach((position) => snapshot.lowerBound(position * 2), 100_000),
});

report([
  { operation: 'latest()', ...figureOf('latest', 'E'), target: null },
  { operation: 'snapshot.at(i), anywhere in 17 segments', ...figureOf('at', 'E'), target: null },
  {
    operation: 'for ... of a snapshot of numbers, per entry',
    ...figureOf('iterator', 'for ... of a Float64Array'),
    target: 2.5,
  },
  {
    operation: 'snapshot.lowerBound(value), 65,536 entries in 17 segments',
    ...figureOf('lowerBound', 'binary search of a typed array'),
    target: null,
  },
]);
