// What is refused to be published, and what of the documents is packed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runModuleInChild } from '../../support/child';
import { packageRoot } from '../../support/internals';

/** What a function of an ES module of scripts/publish/ returns. */
function call(module: string, expression: string): unknown {
  const url = pathToFileURL(join(packageRoot, 'scripts', 'publish', module)).href;
  const script = `import * as module from '${url}'; console.log(JSON.stringify(module.${expression}));`;
  return JSON.parse(runModuleInChild(script));
}

const manifest = {
  version: '1.2.3',
  author: 'Ada',
  homepage: 'https://github.com/ada/atomic-log#readme',
  bugs: { url: 'https://github.com/ada/atomic-log/issues' },
  repository: { type: 'git', url: 'git+https://github.com/ada/atomic-log.git' },
};

const refusals = (changes: object, changelog = '# Changelog\n\n## 1.2.3\n\n## 1.2.2\n'): unknown =>
  call(
    'refusals.mjs',
    `refusals(${JSON.stringify({ ...manifest, ...changes })}, ${JSON.stringify(changelog)})`,
  );

describe('a package is refused to be published', () => {
  test('not when it has a home and its version is in the changelog', () => {
    expect(refusals({})).toEqual([]);
  });

  test('when it names a placeholder, or no one, as its home', () => {
    expect(
      refusals({
        author: 'Example Organization',
        repository: { url: 'git+https://github.com/example-organization/atomic-log.git' },
        bugs: undefined,
      }),
    ).toEqual([
      'author in package.json is a placeholder: "Example Organization"',
      'package.json has no bugs',
      expect.stringContaining('repository in package.json is a placeholder'),
    ]);
  });

  test('when the changelog does not have its version, or says that it is not released', () => {
    expect(refusals({}, '## 1.2.30\n')).toEqual(['CHANGELOG.md has no section "## 1.2.3"']);
    expect(refusals({}, '## 1.2.3 (unreleased)\n')).toEqual([
      'CHANGELOG.md says "## 1.2.3 (unreleased)": write "## 1.2.3" to publish it',
    ]);
  });

  test('as this one is, while it has no home', () => {
    const own = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { author: string };
    const changelog = readFileSync(join(packageRoot, 'CHANGELOG.md'), 'utf8');
    const found = call(
      'refusals.mjs',
      `refusals(${JSON.stringify(own)}, ${JSON.stringify(changelog)})`,
    ) as string[];
    if (own.author === 'Example Organization') expect(found.length).toBeGreaterThanOrEqual(4);
    // The changelog always has a section of the version.
    expect(found.filter((line) => line.includes('no section'))).toEqual([]);
  });
});

test('links of packed documents lead to what is packed, or to the repository at the tag of the version', () => {
  const text =
    '[a](b.md) [c](../d.md#e "t") ![f](g/h.png) [i](https://j.k) [l](#m) [n](mailto:o@p.q) [r](../types/)';
  const address = call('links.mjs', `addressOf(${JSON.stringify(manifest)})`) as string;
  expect(address).toBe('https://github.com/ada/atomic-log/blob/v1.2.3/');
  expect(
    call(
      'links.mjs',
      `absoluteLinks(${JSON.stringify(text)}, 'docs/x.md', new Set(['docs/b.md']), '${address}')`,
    ),
  ).toBe(
    `[a](b.md) [c](${address}d.md#e "t") ![f](${address}docs/g/h.png) [i](https://j.k) [l](#m) [n](mailto:o@p.q) [r](${address}types/)`,
  );
});

test('every action of the workflows is pinned by its hash, with its version next to it', () => {
  const folder = join(packageRoot, '.github', 'workflows');
  const uses = readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter((line) => /^\s*(- )?uses:/.test(line)),
  );
  expect(uses.length).toBeGreaterThan(0);
  expect(uses.filter((line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
});
