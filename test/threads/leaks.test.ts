// Every public class in a loop: memory reaches a plateau, and what was pinned,
// claimed or mapped is given back.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { testWith } from '../support/runtime';
import { sized } from '../support/sizes';
import { testOfSharedMappings } from '../support/strict';
import * as leaks from './leaks.cjs';

const run = promisify(execFile);

// Measured: resident memory grows by up to 3 MB on Node 20 and by up to 9 MB on
// newer versions of V8, until their young generation has settled; the heap by
// some ten KB. A mapping that is made for each of the 60,000 segments of the
// synchronous loops between the two samples would take 15 MB.
const RESIDENT_SLACK_BYTES = 12 << 20;
const HEAP_SLACK_BYTES = 400 << 10;
// With a young generation that stays small; by itself it grows for longer than the test lasts.
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];
/** Blocks of rounds. */
const BLOCKS = String(sized('LEAK_BLOCKS', { small: 4, long: 6 }));
/** The first blocks warm up: code is compiled, pools are filled. */
const WARM = 2;

interface Usage {
  /** One sample per block of rounds. */
  resident: number[];
  heap: number[];
  mapped: number[];
  figures: object;
}

async function expectPlateau(name: string): Promise<void> {
  const { stdout } = await run(process.execPath, [...FLAGS, join(__dirname, 'leaks.cjs'), name, BLOCKS]);
  const { resident, heap, mapped, figures } = JSON.parse(stdout) as Usage;
  const growth = (samples: number[]): number => samples.at(-1)! - samples[WARM]!;
  expect({ resident, growth: growth(resident) < RESIDENT_SLACK_BYTES }).toEqual({ resident, growth: true });
  expect({ heap, growth: growth(heap) < HEAP_SLACK_BYTES }).toEqual({ heap, growth: true });
  expect({ mapped, growth: growth(mapped) }).toEqual({ mapped, growth: 0 });
  expect(figures).toEqual({ pinnedHere: 0, pinnedSegments: 0, isWriterClaimed: true });
}

describe('memory reaches a plateau in a loop that never returns to the event loop', () => {
  testOfSharedMappings.each(leaks.synchronous)('%s', expectPlateau);
});

describe('memory reaches a plateau in a loop', () => {
  for (const name of leaks.asynchronous) {
    // Some ten thousand times in a few seconds.
    const testLoop = name.startsWith('AtomicLog: attach()') ? testWith('freeing functions of addons') : test;
    testLoop(name, () => expectPlateau(name));
  }
});
