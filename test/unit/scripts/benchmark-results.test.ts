// The report of the benchmarks says of each row that misses its target why it does.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runModuleInChild } from '../../support/child';
import { runtime } from '../../support/runtime';

const results = pathToFileURL(join(__dirname, '..', '..', '..', 'benchmarks', 'results.mjs')).href;

/** What the function of results.mjs, an ES module, makes of the rows. */
function reportOf(name: 'markdownReport' | 'terminalReport', rows: readonly object[]): string {
  const program = `import { ${name} } from ${JSON.stringify(results)};
    const rows = ${JSON.stringify(rows)};
    process.stdout.write(${name}(rows, [], 1, []));`;
  return runModuleInChild(program);
}

const row = (operation: string, ratio: number, target: number | null, reason?: string): object => ({
  topic: 'memory',
  ...{ operation, ns: ratio, ratio, low: ratio, high: ratio, unit: 'E', target, reason },
});

const rows = [
  row('quick', 1, 2, 'no longer true'),
  row('slow', 3, 2, 'half of it is the system'),
  row('slower', 4, 2),
  row('unjudged', 5, null),
];

const rowsOf = (section: string): string[][] =>
  section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .filter((line) => !line.startsWith('| ---'))
    .map((line) => line.split('|').map((cell) => cell.trim()));

/** Deno gives a module outside of the checkout none of its packages. */
const testOfTables = runtime === 'deno' ? test.skip : test;

testOfTables('the rows that miss their target stand in a table of their own, each with its reason', () => {
  const [, section] = reportOf('markdownReport', rows).split('## Missed rows and why\n');
  expect(rowsOf(section!).map(([, operation, , why]) => [operation, why])).toEqual([
    ['slow', 'half of it is the system'],
    ['slower', 'not measured yet'],
  ]);
  expect(reportOf('terminalReport', rows)).toContain('half of it is the system');
});

testOfTables('without a miss there is no such table', () => {
  expect(reportOf('markdownReport', rows.slice(0, 1))).not.toContain('Missed');
});
