// What does taking and closing a snapshot cost, with 17 segments?
import { AtomicLog } from '../../dist/index.mjs';
import { compare, emptyCall, report } from '../measure.mjs';

const options = { retainedCapacity: 16 * 64, segmentCapacity: 64 };
const still = AtomicLog.claimed(options);
const moving = AtomicLog.claimed(options);
const entries = new Float64Array(options.retainedCapacity + 1);
still.writer.appendBatch(entries);
moving.writer.appendBatch(entries);
const segment = new Float64Array(64);

const figureOf = compare({
  E: emptyCall,
  nothingRolled: {
    operations: 500_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) still.log.snapshot().close();
    },
  },
  rollAlone: {
    operations: 50_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) still.writer.appendBatch(segment);
    },
  },
  rolled: {
    operations: 50_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) {
        moving.writer.appendBatch(segment);
        moving.log.snapshot().close();
      }
    },
  },
});

report([
  {
    operation: 'snapshot() + close(), 17 segments, nothing rolled',
    ...figureOf('nothingRolled', 'E'),
    target: 10,
  },
  {
    operation: 'snapshot() + close(), 17 segments, one rolled since',
    ...figureOf(({ rolled, rollAlone }) => rolled - rollAlone, 'E'),
    target: null,
    note: 'roll + snapshot, less roll alone',
  },
]);
