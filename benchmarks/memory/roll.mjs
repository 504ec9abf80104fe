// What does beginning the next segment cost, in recycled memory?
import { AtomicLog } from '../../dist/index.mjs';
import { compare, emptyCall, report } from '../measure.mjs';

// The same batches go into segments of which each holds one, and into segments
// of which each holds 16. Both windows fit into the cache; the difference is 15
// rolls in 16 batches.
const every = AtomicLog.claimed({ retainedCapacity: 16 * 64, segmentCapacity: 64 });
const sixteenth = AtomicLog.claimed({ retainedCapacity: 16 * 64, segmentCapacity: 16 * 64 });
const batch = new Float64Array(64).fill(1);

function batches(writer) {
  return {
    operations: 100_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.appendBatch(batch);
    },
  };
}

const figureOf = compare({
  E: emptyCall,
  every: batches(every.writer),
  sixteenth: batches(sixteenth.writer),
});
const rolls = 15 / 16;

report([
  {
    operation: 'roll into a recycled block, per segment',
    ...figureOf((sample) => (sample.every - sample.sixteenth) / rolls, 'E'),
    target: 50,
    note: 'batches that roll, less batches that do not',
  },
]);
