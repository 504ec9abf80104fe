/** Every promise that a test or a mutation names is in docs/durability.md, and every promise there is held by some mutation. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runModuleInChild } from '../../support/child';
import { packageRoot } from '../../support/internals';

const documented = [
  ...readFileSync(join(packageRoot, 'docs/durability.md'), 'utf8').matchAll(/^\| (G\d+) +\|/gm),
].map(([, id]) => id!);

const folder = join(packageRoot, 'test/native/durable');
const named = (names: readonly string[], pattern: RegExp) =>
  new Set(
    names.flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(pattern)].map(([, id]) => id!),
    ),
  );
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });

test('the promises are numbered from G1 on', () => {
  expect(documented).toEqual(documented.map((_, i) => `G${i + 1}`));
  expect(documented.length).toBeGreaterThanOrEqual(12);
});

test('tests name promises that are documented', () => {
  const ids = named(
    files.filter((name) => name.endsWith('_test.cc')),
    /\b(G\d+)\b/g,
  );
  expect(ids.size).toBeGreaterThan(0);
  expect([...ids].filter((id) => !documented.includes(id))).toEqual([]);
});

test('each mutation names the promise that it breaks, and each promise has one', () => {
  const ids = named(
    files.filter((name) => name.endsWith('_mutations.mjs')),
    /mutation\(\s*'([^']+)'/g,
  );
  expect([...ids].filter((id) => !documented.includes(id))).toEqual([]);
  // G3 is the other side of G1 and G2: whatever is not acknowledged may go.
  expect(documented.filter((id) => !ids.has(id) && id !== 'G3')).toEqual([]);
});

test('each fault of a segment file has a test, of that name', () => {
  const [, section] = readFileSync(join(packageRoot, 'docs/segments.md'), 'utf8').split(
    '## When something fails',
  );
  const [, , ...rows] = section!.split('\n').filter((line) => line.startsWith('|'));
  expect(rows.length).toBeGreaterThan(10);
  for (const row of rows) {
    const [, file, name] = /`([\w/.-]+)`: (.+?) *\|$/.exec(row) ?? [];
    expect({ row, file }).toEqual({ row, file: expect.any(String) as string });
    const text = readFileSync(join(packageRoot, 'test', file!), 'utf8').replace(/"\s*"/g, '');
    expect({ row, isThere: text.includes(name!) }).toEqual({ row, isThere: true });
  }
});

interface Mutation {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly from: string }[];
}

// Else it is found only when all of them are taken out, which is rare.
test('each mutation finds its text, once', () => {
  const lists = files.filter((name) => name.endsWith('_mutations.mjs'));
  expect(lists.length).toBeGreaterThan(0);
  for (const list of lists) {
    const printed = runModuleInChild(`import { mutations } from '${pathToFileURL(join(folder, list)).href}';
      console.log(JSON.stringify(mutations));`);
    const mutations = JSON.parse(printed) as Mutation[];
    expect(mutations.length).toBeGreaterThan(0);
    const missed = mutations.flatMap(({ name, edits }) =>
      edits
        .filter(({ file, from }) => {
          const text = readFileSync(join(packageRoot, 'src-native/core', file), 'utf8');
          return text.split(from).length !== 2;
        })
        .map(({ file, from }) => `${name}: ${file} has not once: ${from}`),
    );
    expect(missed).toEqual([]);
  }
});

test('so does each that the model check knows, and each order of the core has one', () => {
  const model = pathToFileURL(join(packageRoot, 'test/native/model')).href;
  const printed = runModuleInChild(`import { dirname, join } from 'node:path';
    import { fileURLToPath } from 'node:url';
    import { MODELS, instrument, ordersWithoutMutation } from '${model}/instrument.mjs';
    const target = join(dirname(fileURLToPath(import.meta.url)), 'core');
    let count = 0;
    for (const model of Object.values(MODELS)) {
      instrument(target, model);
      count += model.mutations.length;
    }
    console.log(JSON.stringify({ count, missing: ordersWithoutMutation() }));`);
  const { count, missing } = JSON.parse(printed) as { count: number; missing: string[] };
  expect(count).toBeGreaterThan(0);
  expect(missing).toEqual([]);
});
