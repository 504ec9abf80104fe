// Which runtime runs the tests, and what it lacks. test/runtimes/differences.json
// is the one place for that: the table in docs/runtimes.md is made from it as well.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What tests need and not every runtime has. */
type Ability = 'terminating a busy worker' | 'teardown before exit' | 'freeing functions of addons';

interface Difference {
  readonly runtime: string;
  readonly lacks?: Ability;
  readonly note: string;
}

const differences = JSON.parse(
  readFileSync(join(__dirname, '..', 'runtimes', 'differences.json'), 'utf8'),
) as readonly Difference[];

function nameOf({ bun, deno }: NodeJS.ProcessVersions): 'bun' | 'deno' | 'node' {
  if (bun !== undefined) return 'bun';
  return deno !== undefined ? 'deno' : 'node';
}

export const runtime = nameOf(process.versions);

export function has(ability: Ability): boolean {
  return !differences.some((difference) => difference.runtime === runtime && difference.lacks === ability);
}

/** `test`, skipped where the runtime lacks the ability. */
export function testWith(ability: Ability): jest.It {
  return has(ability) ? test : test.skip;
}
