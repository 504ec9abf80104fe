/** Random use of the whole API, compared with a model. */
import fc from 'fast-check';

import { kinds } from '../../support/model/kinds';
import type { Capacities } from '../../support/model/log-model';
import { Player, type Step } from '../../support/model/player';
import { sized } from '../../support/sizes';

const stepNames: readonly (keyof Player)[] = [
  'claim',
  'claim',
  'closeWriter',
  'append',
  'append',
  'write',
  'write',
  'publish',
  'appendBatch',
  'appendBatch',
  'refuse',
  'reserve',
  'snapshot',
  'snapshot',
  'refresh',
  'refresh',
  'extend',
  'extend',
  'clone',
  'close',
  'transfer',
  'follow',
  'nextBatch',
  'nextBatch',
  'abort',
  'endFollower',
  'endTurn',
];

/** Steps of a whole run. Without a writer nothing happens, so that every run begins with one. */
function runsOf(names: readonly (keyof Player)[]): fc.Arbitrary<Step[]> {
  const step = fc.tuple(fc.constantFrom(...names), fc.nat(7), fc.nat(20));
  return fc.array(step, { maxLength: 80, size: 'max' }).map((steps) => [['claim', 0, 0], ...steps]);
}

const capacities: readonly Capacities[] = [
  { retainedCapacity: 1, segmentCapacity: 1 },
  { retainedCapacity: 8, segmentCapacity: 4 },
  { retainedCapacity: 7, segmentCapacity: 3 },
  { retainedCapacity: 5, segmentCapacity: 16 },
];

/** Runs of each property, then of that of shared memory, and of the one that collects garbage, which is slow. */
const RUNS = sized('MODEL_RUNS', { small: 20, long: 100 });
const SHARED_RUNS = Math.ceil(RUNS * 0.6);
const COLLECTING_RUNS = Math.ceil(RUNS * 0.05);

/** Far more than a property takes; it bounds the search for a small counterexample when one fails. */
const SHRINK_MS = 20_000;

describe.each(kinds)('a log of $name', (kind) => {
  test.each(capacities)(
    'does what an array would, with $retainedCapacity entries in segments of $segmentCapacity',
    async (size) => {
      await fc.assert(
        fc.asyncProperty(runsOf(stepNames), (steps) => new Player(kind, size).play(steps)),
        { numRuns: RUNS, interruptAfterTimeLimit: SHRINK_MS },
      );
    },
  );

  test('does so in shared memory as well', async () => {
    const size = { retainedCapacity: 7, segmentCapacity: 3, mapping: 'shared' } as const;
    await fc.assert(
      fc.asyncProperty(runsOf(stepNames), (steps) => new Player(kind, size).play(steps)),
      { numRuns: SHARED_RUNS, interruptAfterTimeLimit: SHRINK_MS },
    );
  });

  test('does so too when snapshots are dropped without close()', async () => {
    const size = { retainedCapacity: 8, segmentCapacity: 4 };
    await fc.assert(
      fc.asyncProperty(runsOf([...stepNames, 'drop', 'drop', 'collect']), (steps) =>
        new Player(kind, size).play(steps),
      ),
      { numRuns: COLLECTING_RUNS, interruptAfterTimeLimit: SHRINK_MS },
    );
  });
});
