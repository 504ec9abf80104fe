/** Every promise that a test or a mutation names is in docs/durability.md, and every promise there is held by some mutation. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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
