/**
 * Figures of speed are generated: between markers, from benchmarks/RESULTS.md, or from what is named here.
 * That they are what the results say, `npm run check` finds out (scripts/documents/write.mjs --check).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { pages, textOf } from '../../support/documents';
import { packageRoot } from '../../support/internals';

const generated = /<!-- (\w+)(: [\w-]+)? -->[^]*?<!-- \/\1 -->/g;
const code = /^( *)```[^]*?^\1```$/gm;

/** Times, ratios (those without a sign too) and rates; sizes with a decimal point, which are measured too. */
const figure =
  /\d[\d.,]*\s?(ns|µs|us|GB\/s|MB\/s|million\/s)\b|\d[\d.,]*\s(times|×)|\d[\d.,]* (entries|records) (a|per) second|\d\.\d+ (KB|MB|GB)\b|(?<![\d.×] ?)0\.\d+(?![\d.]| [KMG]B)|\w+ times as \w+|(half|third|quarter|fraction) of the time/g;

const figuresOf = (text: string): string[] =>
  text.replace(generated, '').replace(code, '').match(figure) ?? [];

/** Figures that no benchmark makes, and the test or the source that holds each of them. */
const HELD: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': { '10,000 records per second': 'examples/demo/sources/system.mjs' },
  'CHANGELOG.md': { '10,000 records per second': 'examples/demo/sources/system.mjs' },
  'docs/processes.md': {
    '300 times': 'test/native/shared_memory/shared_log_kill_test.cc',
    '10,000 times': 'test/crash/processes.test.ts',
  },
  'docs/wal.md': {
    '0.6 MB': 'test/native/durable/wal/wal_size_test.cc',
    '0.7 MB': 'test/native/durable/wal/wal_size_test.cc',
  },
};

test.each([...pages, 'CHANGELOG.md'])('%s', (page) => {
  const held = HELD[page] ?? {};
  expect(new Set(figuresOf(textOf(page)))).toEqual(new Set(Object.keys(held)));
  for (const source of Object.values(held)) expect(existsSync(join(packageRoot, source))).toBe(true);
});

test('a figure by hand is found, a generated one and a size that is set are not', () => {
  expect(figuresOf('It takes 12 ns, 3.5 × less.')).toEqual(['12 ns', '3.5 ×']);
  expect(figuresOf('<!-- figures: x -->\n\n12 ns\n\n<!-- /figures -->\n')).toEqual([]);
  expect(figuresOf('A file has 64 MB.')).toEqual([]);
  expect(figuresOf('It needs 0.62 of it, three times as much, half of the time.')).toEqual([
    '0.62',
    'three times as much',
    'half of the time',
  ]);
});
