// What does an entry cost in a batch?
import { AtomicLog } from '../../dist/index.mjs';
import { bestCopy } from '../copy-unit.mjs';
import { compare, emptyCall, report } from '../measure.mjs';

const SEGMENT = 4096;
const { writer } = AtomicLog.claimed({ retainedCapacity: 16 * SEGMENT, segmentCapacity: SEGMENT });
const batch64 = new Float64Array(64).fill(1.5);
const batch4096 = new Float64Array(SEGMENT).fill(1.5);
const half = new Float64Array(SEGMENT / 2).fill(1.5);

// Every candidate leaves the head full, so that the next one begins a segment.
const figureOf = compare({
  E: emptyCall,
  M: bestCopy([batch4096], { operations: 10_000, per: SEGMENT }),
  small: {
    operations: 1600 * (SEGMENT / 64),
    per: 64,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.appendBatch(batch64);
    },
  },
  aligned: {
    operations: 10_000,
    per: SEGMENT,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.appendBatch(batch4096);
    },
  },
  across: {
    operations: 10_000,
    per: SEGMENT,
    run(operations) {
      writer.appendBatch(half);
      for (let i = 0; i < operations; ++i) writer.appendBatch(batch4096);
      writer.appendBatch(half);
    },
  },
});

report([
  { operation: 'appendBatch(64), per entry', ...figureOf('small', 'E'), target: 0.065 },
  { operation: 'appendBatch(4096), per entry', ...figureOf('aligned', 'M'), target: 1.3 },
  {
    operation: 'appendBatch(4096), per entry, each across two segments',
    ...figureOf('across', 'M'),
    target: null,
  },
]);
