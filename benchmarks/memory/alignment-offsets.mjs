// A child of alignment.mjs: appendBatch(4096) from each offset of 8 bytes in a page,
// next to M, in a log of the mapping and from memory of the kind that the arguments name.
import { AtomicLog } from '../../dist/index.mjs';
import { bestCopy } from '../copy-unit.mjs';
import { median, roundsOf, time } from '../measure.mjs';

const [mapping, memory] = process.argv.slice(2);
const SEGMENT = 4096;
const OFFSETS = 512;
const OPERATIONS = 40;
const ROUNDS = 7;
/** Offsets for which one measurement of M counts. */
const GROUP = 16;

const { writer } = AtomicLog.claimed({ retainedCapacity: 16 * SEGMENT, segmentCapacity: SEGMENT, mapping });
const bytes = 8 * (SEGMENT + OFFSETS);
const buffer = memory === 'shared' ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
const sources = Array.from({ length: OFFSETS }, (_, i) => new Float64Array(buffer, 8 * i, SEGMENT).fill(1.5));
const M = bestCopy([new Float64Array(SEGMENT).fill(1.5)], { operations: 2 * OPERATIONS, per: SEGMENT });

function appends(source) {
  return (operations) => {
    for (let i = 0; i < operations; ++i) writer.appendBatch(source);
  };
}

const samples = sources.map(() => []);
// The first thousands of batches make segments, and run in code that is not compiled yet.
appends(sources[0])(roundsOf(10_000));
for (let round = 0; round < roundsOf(ROUNDS); ++round) {
  // Each round begins elsewhere: garbage is collected once in as many batches, that is always at the same turn.
  const begin = Math.floor((round * OFFSETS) / ROUNDS);
  for (let first = 0; first < OFFSETS; first += GROUP) {
    const unit = time(M.run, M.operations) / SEGMENT;
    for (let turn = first; turn < first + GROUP; ++turn) {
      const offset = (begin + turn) % OFFSETS;
      const ns = time(appends(sources[offset]), OPERATIONS) / SEGMENT;
      samples[offset].push({ ns, ratio: ns / unit });
    }
  }
}
const medians = (key) => samples.map((ofOffset) => median(ofOffset.map((sample) => sample[key])));
process.stdout.write(JSON.stringify({ ns: medians('ns'), ratios: medians('ratio') }));
