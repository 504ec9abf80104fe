/** The figures of the documents: each is looked up in the results, and one that has no row is an error. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runModuleInChild } from '../../support/child';
import { packageRoot } from '../../support/internals';

const moduleOf = (name: string): string =>
  JSON.stringify(pathToFileURL(join(packageRoot, 'scripts', 'documents', name)).href);

const table = `
| operation            | time    | ratio  | quartiles   |
| -------------------- | ------- | ------ | ----------- |
| append (of 3 rounds) | 14 ns   | 1.73 E | 1.72 - 1.74 |
| append twice         | 2.5 us  | 3.00 E | 2.90 - 3.10 |
| same                 | 1.00 ns | 1.00 E | 1.00 - 1.00 |
| same                 | 1.00 ns | 2.00 M | 2.00 - 2.00 |
`;

/** What a program prints that has `results` and `withFigures`. */
function printed(program: string): unknown {
  const source = `
    import { resultsOf } from ${moduleOf('results.mjs')};
    import { withFigures } from ${moduleOf('figures.mjs')};
    const results = resultsOf(${JSON.stringify(table)});
    const attempt = (work) => { try { return work(); } catch (error) { return error.message; } };
    console.log(JSON.stringify(${program}));`;
  return JSON.parse(runModuleInChild(source));
}

test('a row is found by its operation, without its note, and by its unit', () => {
  expect(
    printed(
      "[results.operation('append'), results.operation('append twice'), results.operation('same', 'M')].map(({ ns, ratio, unit }) => [ns, ratio, unit])",
    ),
  ).toEqual([
    [14, 1.73, 'E'],
    [2500, 3, 'E'],
    [1, 2, 'M'],
  ]);
});

test('no row, or two of them, are an error', () => {
  expect(printed("['gone', 'same'].map((name) => attempt(() => results.operation(name)))")).toEqual([
    expect.stringMatching(/^RESULTS\.md has 0 rows of 'gone'; run npm run bench/),
    expect.stringMatching(/^RESULTS\.md has 2 rows of 'same'/),
  ]);
});

test('figures without a definition are an error', () => {
  const marked = '<!-- figures: nothing -->\\n<!-- /figures -->';
  expect(printed(`attempt(() => withFigures("${marked}", results))`)).toBe("no figures are called 'nothing'");
});

test('every kind of figure that is marked is defined', () => {
  const source = readFileSync(join(packageRoot, 'scripts', 'documents', 'figures.mjs'), 'utf8');
  for (const page of ['README.md', 'docs/performance.md']) {
    const text = readFileSync(join(packageRoot, page), 'utf8');
    const names = [...text.matchAll(/<!-- figures: ([\w-]+) -->/g)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(source).toMatch(new RegExp(`^ {2}'?${name}'?[:,]`, 'm'));
  }
});
