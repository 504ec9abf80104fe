// What the benchmarks measured is kept as benchmarks/samples.json, by a schema.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runModuleInChild } from '../../support/child';
import { packageRoot } from '../../support/internals';
import { violations } from '../../support/schema';

const benchmarks = join(packageRoot, 'benchmarks');
const path = join(benchmarks, 'samples.json');
const schema = join(benchmarks, 'samples.schema.json');
const url = (name: string) => JSON.stringify(pathToFileURL(join(benchmarks, name)).href);

interface Row {
  operation?: string;
  way?: string;
  rounds: number;
  ns: number[];
  ratio: number[];
}

interface Samples {
  conditions: Record<string, string>;
  rows: Row[];
}

const conditions = ['date', 'commit', 'machine', 'system', 'disk of the durable rows', 'runtime'];

const made = (): Samples =>
  JSON.parse(
    runModuleInChild(`import { figure } from ${url('measure.mjs')};
      import { samplesReport } from ${url('samples.mjs')};
      const many = Array.from({ length: 250 }, (_, i) => i + 1 / 3);
      const rows = [
        { topic: 'memory', operation: 'append', ...figure([1.23456, 2], [1, 2], 'E'), target: 3, reason: 'because' },
        { topic: 'memory', operation: 'often', ...figure(many, many, 'E'), target: null },
        { topic: 'memory', operation: 'the binary', ratio: 1.5, low: 1.5, high: 1.5, unit: 'MB', target: 2 },
        { topic: 'memory', table: 'peers', entries: 'one by one', readers: 1, way: 'MessagePort', ns: 1, ratio: 1,
          low: 1, high: 1, perSecond: 1, samples: { ns: [1], ratio: [1] } },
      ];
      console.log(samplesReport(rows, ['append'], 12.3456, ${JSON.stringify(conditions.map((name) => [name, 'x']))}));`),
  ) as Samples;

test('every row has its rounds, few digits of each, and not too many', () => {
  const samples = made();
  expect(violations(schema, samples)).toEqual([]);
  expect(samples.rows.map(({ rounds, ns, ratio }) => [rounds, ns.length, ratio.length])).toEqual([
    [2, 2, 2],
    [250, 100, 100],
    [0, 0, 0],
    [1, 1, 1],
  ]);
  expect(samples.rows[0]!.ns).toEqual([1.235, 2]);
  expect(samples.rows[3]).toMatchObject({ way: 'MessagePort', readers: 1, unit: 'polled log' });
});

test('the schema notices what is missing, and what no one knows', () => {
  const samples = made();
  expect(violations(schema, { ...samples, rows: [{ ...samples.rows[0]!, ns: ['1'] }] })).not.toEqual([]);
  expect(violations(schema, { ...samples, rows: [{ ...samples.rows[0]!, more: 1 }] })).not.toEqual([]);
  expect(violations(schema, { ...samples, conditions: {} })).not.toEqual([]);
});

// They are written by the run that writes RESULTS.md.
(existsSync(path) ? test : test.skip)('the samples are those of RESULTS.md', () => {
  const samples = JSON.parse(readFileSync(path, 'utf8')) as Samples;
  expect(violations(schema, samples)).toEqual([]);
  const results = readFileSync(join(benchmarks, 'RESULTS.md'), 'utf8');
  for (const [name, value] of Object.entries(samples.conditions))
    expect(results).toContain(`- ${name}: ${value}`);
  const missing = samples.rows.filter(({ operation, way }) => !results.includes((operation ?? way)!));
  expect(missing).toEqual([]);
  expect(samples.rows.filter(({ ratio }) => ratio.length > 0).length).toBeGreaterThan(100);
});
