// By what prebuilt binaries are kept: everything that changes their bytes, and nothing else.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runModuleInChild } from '../../support/child';
import { packageRoot } from '../../support/internals';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const source = pathToFileURL(join(packageRoot, 'scripts/prebuild/made-from.mjs')).href;

function checkout(name: string, text: string): string {
  const root = directory.path(name);
  mkdirSync(join(root, 'src', 'deep'), { recursive: true });
  writeFileSync(join(root, 'src', 'a.cc'), 'a');
  writeFileSync(join(root, 'src', 'deep', 'b.cc'), text);
  writeFileSync(join(root, 'README.md'), name);
  return root;
}

test('sources and settings count, the place and other files do not', () => {
  const here = checkout('here', 'b');
  const there = checkout('somewhere-else', 'b');
  const changed = checkout('changed', 'c');
  const hashes = JSON.parse(
    runModuleInChild(`import { madeFrom } from ${JSON.stringify(source)};
      const hash = (root, flag) => madeFrom(root, ['src'], { include: root + '/src', flag });
      const [here, there, changed] = ${JSON.stringify([here, there, changed])};
      console.log(JSON.stringify([hash(here, 1), hash(there, 1), hash(here, 2), hash(changed, 1)]));`),
  ) as string[];
  expect(hashes[1]).toBe(hashes[0]);
  expect(new Set(hashes).size).toBe(3);
});
