// What does looking for news cost a reader, while the head stays the same?
import { AtomicLog } from '../../dist/index.mjs';
import { atomicsLoad, compare, report } from '../measure.mjs';

const { writer, log } = AtomicLog.claimed({ retainedCapacity: 1_000_000, segmentCapacity: 100_000_000 });
writer.append(1);
const snapshot = log.snapshot();
const chunk = snapshot.chunks()[0];
const word = new Int32Array(chunk.values.buffer, 0, 1);

const figureOf = compare({
  A: atomicsLoad(word),
  nothing: {
    operations: 2_000_000,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) sum += snapshot.refresh().appended;
      return sum;
    },
  },
  append: {
    operations: 500_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.append(i);
    },
  },
  news: {
    operations: 500_000,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) {
        writer.append(i);
        sum += snapshot.refresh().appended;
      }
      return sum;
    },
  },
});

report([
  { operation: 'refresh(), nothing new', ...figureOf('nothing', 'A'), target: 1.5 },
  {
    operation: 'refresh(), one new entry in the same head',
    ...figureOf(({ news, append }) => news - append, 'A'),
    target: 1.5,
    note: 'append + refresh, less append alone',
  },
]);
