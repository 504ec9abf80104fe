// What does an entry cost in a batch?
import { AtomicLog } from 'atomic-log';
import { compare, emptyCall, report } from '../measure.mjs';

const { writer } = AtomicLog.claimed({ retainedCapacity: 65_536, segmentCapacity: 4096 });
const batch64 = new Float64Array(64).fill(1.5);
const batch4096 = new Float64Array(4096).fill(1.5);

// The unit M: the same bytes copied over a working set of the window's size,
// as the log does: 17 retained segments and the one that is recycled.
const targets = Array.from({ length: 18 }, () => new Float64Array(4096));
let next = 0;

const { ns, ratio } = compare({
  E: emptyCall,
  M: {
    operations: 2000,
    per: 4096,
    run(operations) {
      for (let i = 0; i < operations; ++i) {
        targets[next].set(batch4096, 0);
        next = next + 1 === targets.length ? 0 : next + 1;
      }
    },
  },
  batch64: {
    operations: 50_000,
    per: 64,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.appendBatch(batch64);
    },
  },
  batch4096: {
    operations: 2000,
    per: 4096,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.appendBatch(batch4096);
    },
  },
});

report([
  {
    operation: 'appendBatch(64), per entry',
    ns: ns('batch64'),
    ratio: ratio('batch64', 'E'),
    unit: 'E',
    target: 0.065,
  },
  {
    operation: 'appendBatch(4096), per entry',
    ns: ns('batch4096'),
    ratio: ratio('batch4096', 'M'),
    unit: 'M',
    target: 1.3,
  },
]);
