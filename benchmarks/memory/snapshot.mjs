// What does taking and closing a snapshot cost, with 17 segments?
import { AtomicLog } from '../../dist/index.mjs';
import { compare, emptyCall, figure, report, roundsOf, time } from '../measure.mjs';

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

/** A thread has seen nothing of these logs. Made before, because making them leaves garbage. */
function firstSnapshots() {
  const SEGMENTS = 257;
  const logs = Array.from({ length: roundsOf(20) + 3 }, () =>
    AtomicLog.claimed({ retainedCapacity: (SEGMENTS - 1) * 64, segmentCapacity: 64 }),
  );
  const filling = new Float64Array((SEGMENTS - 1) * 64 + 1);
  for (const { writer } of logs) writer.appendBatch(filling);
  const times = logs.map(({ log, writer }) => {
    const ns = time(() => log.snapshot(), 1) / SEGMENTS;
    writer.close();
    log.close();
    return ns;
  });
  const warm = times.slice(3);
  return figure(warm, warm, 'ns');
}

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
  { operation: 'first snapshot() of a log, per segment of 257', ...firstSnapshots(), target: 2000 },
]);
