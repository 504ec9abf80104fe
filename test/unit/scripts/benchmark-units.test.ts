// The units of the benchmarks can be compared with an addon of a few lines that owes
// nothing to the package. How large they are is no question for a test.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { buildOtherAddon } from '../../support/other-addons.cjs';

const question = join(__dirname, '..', '..', '..', 'benchmarks', 'memory', 'units.mjs');

interface Row {
  operation: string;
  ns: number;
  ratio: number;
  unit: string;
}

// Without a compiler there is nothing to compare with, which is said.
const isBuilt = buildOtherAddon('benchmarks/bare-addon') !== undefined;

(isBuilt ? test : test.skip)(
  'an empty call is compared with an empty call, and a copy with memcpy of the same bytes',
  () => {
    const env = { ...process.env, BENCH_QUICK: '1' };
    const output = execFileSync(process.execPath, [question], { encoding: 'utf8', env });
    const rows = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
    expect(rows.map(({ operation, unit }) => [operation, unit])).toEqual([
      ['the unit E', 'empty call of a bare addon'],
      ['the unit M, per entry', 'memcpy in a bare addon'],
    ]);
    for (const { ns, ratio } of rows) {
      // The unit's own time is ns / ratio: both are times of one operation.
      for (const time of [ns, ns / ratio]) {
        expect(time).toBeGreaterThan(0);
        expect(time).toBeLessThan(Infinity);
      }
    }
  },
);
