// Are the units what they say? E beside an empty call of an addon of its own, and M
// beside memcpy of the same bytes between the same places.
import { bestCopy } from '../copy-unit.mjs';
import { compare, emptyCall, otherAddon, report } from '../measure.mjs';

const ENTRIES = 4096;
const bare = otherAddon('benchmarks/bare-addon');
const M = bestCopy([new Float64Array(ENTRIES).fill(1.5)], { operations: 10_000, per: ENTRIES });
const [source] = M.sources;
const targets = M.targets.map(([target]) => target);
/** A constant, as in the unit. */
const { doNothing } = bare;

const figureOf = compare({
  E: emptyCall,
  // A loop of its own: one that calls two functions is compiled for neither.
  'empty call of a bare addon': {
    operations: emptyCall.operations,
    run(operations) {
      for (let i = 0; i < operations; ++i) doNothing();
    },
  },
  M,
  'memcpy in a bare addon': { ...M, run: (operations) => bare.copy(source, targets, operations) },
});
if (targets.some((target) => target.at(-1) !== 1.5)) throw new Error('memcpy copied nothing');

report([
  { operation: 'the unit E', ...figureOf('E', 'empty call of a bare addon'), target: 1.1 },
  { operation: 'the unit M, per entry', ...figureOf('M', 'memcpy in a bare addon'), target: 1.1 },
]);
