// What does an entry cost in a batch?
import { AtomicLog } from '../../dist/index.mjs';
import { bestCopy } from '../copy-unit.mjs';
import { compare, emptyCall, report, roundsOf, time } from '../measure.mjs';

const SEGMENT = 4096;
const PAGE_BYTES = 4096;
const size = { retainedCapacity: 16 * SEGMENT, segmentCapacity: SEGMENT };
const { writer } = AtomicLog.claimed(size);
const inShared = AtomicLog.claimed({ ...size, mapping: 'shared' }).writer;
const batch64 = new Float64Array(64).fill(1.5);
const batch4096 = new Float64Array(SEGMENT).fill(1.5);
const half = new Float64Array(SEGMENT / 2).fill(1.5);

/** Appends it again and again. */
const batches = (to, source, operations = 10_000) => ({
  operations,
  per: source.length,
  run(times) {
    for (let i = 0; i < times; ++i) to.appendBatch(source);
  },
});

/** The batch where it takes longest, of all its places in a page; the quickest run of each counts. */
function worstPlaced() {
  const memory = new ArrayBuffer(batch4096.byteLength + PAGE_BYTES);
  const places = Array.from({ length: PAGE_BYTES / 8 }, (_, i) => new Float64Array(memory, i * 8, SEGMENT));
  const quickest = places.map(() => Infinity);
  for (let round = 0; round < roundsOf(12); ++round) {
    places.forEach((source, i) => {
      quickest[i] = Math.min(quickest[i], time(batches(writer, source).run, 36));
    });
  }
  return places[quickest.indexOf(Math.max(...quickest))];
}

const sharedBatch = new Float64Array(new SharedArrayBuffer(batch4096.byteLength)).fill(1.5);

/** What a batch of 64 cannot do without: V8's copy, into as much memory as the log has, and a call. */
const copied = new Float64Array(17 * SEGMENT);
const copies = {
  operations: 100_000,
  per: batch64.length,
  run(times) {
    for (let i = 0; i < times; ++i) copied.set(batch64, (i * batch64.length) % copied.length);
  },
};
/** And a batch of a segment, of which each goes to the next of the log's blocks. */
const wholeCopies = (source) => ({
  operations: 10_000,
  per: source.length,
  run(times) {
    for (let i = 0; i < times; ++i) copied.set(source, (i % 17) * SEGMENT);
  },
});
const publishes = {
  operations: 100_000,
  per: batch64.length,
  run(times) {
    for (let i = 0; i < times; ++i) writer.publish();
  },
};

const worst = worstPlaced();

// Every candidate leaves the head full, so that the next one begins a segment.
const figureOf = compare({
  E: emptyCall,
  M: bestCopy([batch4096], { operations: 10_000, per: SEGMENT }),
  small: batches(writer, batch64, 1600 * (SEGMENT / 64)),
  copies,
  publishes,
  aligned: batches(writer, batch4096),
  alignedCopies: wholeCopies(batch4096),
  worst: batches(writer, worst),
  worstCopies: wholeCopies(worst),
  inShared: batches(inShared, batch4096),
  fromShared: batches(writer, sharedBatch),
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

const inM = (name) => `${figureOf(name, 'M').ratio.toFixed(2)} M`;
const inE = (name) => `${figureOf(name, 'E').ratio.toFixed(3)} E`;

report([
  {
    operation: 'appendBatch(64), per entry',
    ...figureOf('small', 'E'),
    target: 0.06,
    reason: `TypedArray.prototype.set of 64 numbers takes ${inE('copies')} of it, and publish() ${inE('publishes')}`,
  },
  {
    operation: 'appendBatch(4096), per entry',
    ...figureOf('aligned', 'M'),
    target: 1.3,
    reason: `TypedArray.prototype.set of as many, into as much memory, takes ${inM('alignedCopies')} of it; the rest begins a segment`,
  },
  {
    operation: 'appendBatch(4096), per entry, from the worst of 512 places in a page',
    ...figureOf('worst', 'M'),
    target: 1.6,
    reason: `TypedArray.prototype.set from there, into as much memory, takes ${inM('worstCopies')} of it; the rest begins a segment`,
  },
  { operation: 'appendBatch(4096), per entry, in shared mapping', ...figureOf('inShared', 'M'), target: 1.6 },
  {
    operation: 'appendBatch(4096), per entry, from a shared source',
    ...figureOf('fromShared', 'M'),
    target: 1.6,
  },
  {
    operation: 'appendBatch(4096), per entry, each across two segments',
    ...figureOf('across', 'M'),
    target: null,
  },
]);
