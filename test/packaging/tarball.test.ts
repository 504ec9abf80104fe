// What the package consists of, and how it is built where it brings no binary.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

import { packageRoot } from '../support/internals';
import { binaries } from './support/binaries';
import { attempt, installedProject, packaging, run, type Report } from './support/project';

const BYTES_MAX = 6 * 1024 * 1024;

const files = execFileSync('tar', ['-tzf', packaging.tarball], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((file) => file.replace(/^package\//, ''));

interface Manifest {
  readonly scripts: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly gypfile: boolean;
}

async function published(): Promise<Manifest> {
  const response = await fetch(`${packaging.registry}atomic-log`);
  const { versions } = (await response.json()) as { versions: Record<string, Manifest> };
  return Object.values(versions)[0]!;
}

test('has what belongs into it, and nothing else', () => {
  const topLevel = [...new Set(files.map((file) => file.replace(/\/.*/, '/')))];
  expect(topLevel.sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'README.md',
    'dist/',
    'docs/',
    'examples/',
    'package.json',
    'prebuilds/',
    'scripts/',
    'src-native/',
    'types/',
  ]);
  // Those that need no build, no Electron and no large data.
  const examples = new Set(
    files.filter((file) => file.startsWith('examples/')).map((file) => file.split('/')[1]),
  );
  expect([...examples].sort()).toEqual([
    'chart',
    'event-store.mjs',
    'http-journal',
    'kafka',
    'log-shipping',
    'market-hub',
    'metrics',
    'projections',
    'replicated',
  ]);
  const native = [...new Set(files.filter((file) => file.startsWith('src-native/')))];
  expect([...new Set(native.map((file) => file.split('/')[1]!))].sort()).toEqual([
    'addon.gyp',
    'binding',
    'core',
    'include',
  ]);
  expect(files.filter((file) => file.startsWith('scripts/')).sort()).toEqual([
    'scripts/build-addon.mjs',
    'scripts/zstd.mjs',
    'scripts/zstd/package-lock.json',
    'scripts/zstd/package.json',
  ]);
  const prebuilds = [...binaries(), 'LICENSES.txt'].map((file) => `prebuilds/${file}`);
  expect(files.filter((file) => file.startsWith('prebuilds/')).sort()).toEqual(prebuilds.sort());
  const strays = /test|\.tools|\.o$|\.map$|\.tgz$|~$|\.ts$/;
  const types = ['index', 'jetstream', 'redis'].flatMap((entry) => [
    `types/${entry}.d.ts`,
    `types/${entry}.d.mts`,
  ]);
  const allowed = [...types, 'src-native/include/index.d.ts', 'docs/testing.md'];
  expect(files.filter((file) => strays.test(file) && !allowed.includes(file))).toEqual([]);
});

const textOf = (file: string): string =>
  execFileSync('tar', ['-xzOf', packaging.tarball, `package/${file}`], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });

test('every link of its documents leads to a file of it, or to the repository of package.json', () => {
  const { repository } = JSON.parse(textOf('package.json')) as { repository: { url: string } };
  const home = repository.url.replace(/^git\+|\.git$/g, '');
  const documents = files.filter((file) => file.endsWith('.md'));
  expect(documents).toContain('README.md');
  const links = documents.flatMap((document) =>
    [...textOf(document).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target]) => ({
      document,
      target: target!,
    })),
  );
  const isFile = (path: string) => files.some((file) => file === path || file.startsWith(`${path}/`));
  const lost = links.filter(({ document, target }) =>
    /^https?:/.test(target)
      ? target.includes('/blob/') && !target.startsWith(`${home}/blob/v`)
      : !isFile(posix.join(posix.dirname(document), target)),
  );
  expect(lost).toEqual([]);
});

// npm warns whoever installs a tarball that has one of them, whether it runs it or not.
test('has no script that npm knows at installation', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as Manifest;
  expect(
    Object.keys(scripts).filter((name) => /^((pre|post)?install|(pre|post)?prepare)$/.test(name)),
  ).toEqual([]);
});

describe('the licences of the code of others that is in it', () => {
  test('of what the command line is bundled with', () => {
    // esbuild says where each part is from.
    const sources = textOf('dist/cli/main.js').matchAll(/^\/\/ (node_modules\/.*)\/[^/\n]*$/gm);
    const folders = new Set(
      [...sources].map(([, folder]) => folder!.replace(/(.*node_modules\/(@[^/]+\/)?[^/]+).*/, '$1')),
    );
    const licenses = textOf('dist/cli/LICENSES.txt');
    const named = [...folders].map((folder) => {
      const text = readFileSync(join(packageRoot, folder, 'package.json'), 'utf8');
      const { name, version } = JSON.parse(text) as { name: string; version: string };
      expect(licenses).toContain(`${name} ${version}`);
      return name;
    });
    expect(named).toEqual(expect.arrayContaining(['commander', 'cli-progress', 'string-width']));
    expect(licenses.match(/Permission is hereby granted/g)!.length).toBeGreaterThanOrEqual(3);
  });

  test('of what the binaries are linked with', () => {
    const licenses = textOf('prebuilds/LICENSES.txt');
    const names = [
      'node-addon-api',
      'node-api-headers',
      'zstd',
      'libcxx',
      'libcxxabi',
      'libunwind',
      'mingw-w64',
    ];
    for (const name of names) expect(licenses).toContain(name);
    expect(licenses).toMatch(/BSD License\s+For Zstandard software\s+Copyright/);
    expect(licenses).toMatch(/LLVM Exceptions to the Apache 2\.0 License/);
    expect(licenses).toMatch(/Zope Public License/);
  });
});

test('is small', () => {
  expect(statSync(packaging.tarball).size).toBeLessThanOrEqual(BYTES_MAX);
});

test('nothing of it runs at installation', async () => {
  const { scripts, dependencies, gypfile } = await published();
  expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
  expect(gypfile).toBe(false);
  expect(Object.keys(dependencies ?? {})).toEqual([]);
});

describe('without a binary for this machine', () => {
  test('the error says what was searched and what to do; the command does it', async () => {
    const project = await installedProject();
    const folder = join(project, 'node_modules', 'atomic-log');
    rmSync(join(folder, 'prebuilds', `${process.platform}-${process.arch}`), { recursive: true });

    const { status, errors } = await attempt(project, process.execPath, ['single.cjs']);
    expect(status).toBe(1);
    expect(errors).toContain('ERR_ADDON_UNAVAILABLE');
    expect(errors).toMatch(
      new RegExp(`${process.platform}-${process.arch}.*searched .*${folder}.*npx atomic-log build`),
    );

    // What it would install is found here, because this test needs no network. That it compiles is
    // the question, not how fast it is: `npm ci` and the binaries were compiled as users get them.
    const unoptimized = { CFLAGS: '-O0', CXXFLAGS: '-O0' };
    const variables = { NODE_PATH: join(packageRoot, 'node_modules'), ...unoptimized };
    await run(project, 'npx', ['--no-install', 'atomic-log', 'build'], variables);
    expect(existsSync(join(folder, 'binding.gyp'))).toBe(false);
    const output = await run(project, process.execPath, ['single.cjs']);
    const { sum, addonPath } = JSON.parse(output) as Report;
    expect(sum).toBe(4950);
    expect(realpathSync(addonPath)).toBe(join(folder, 'build', 'Release', 'atomic_log.node'));
  });

  test('the command explains itself', async () => {
    const project = await installedProject();
    const command = join('node_modules', '.bin', 'atomic-log');
    expect(await run(project, command, ['--help'])).toMatch(/Usage: atomic-log[^]*build /);
    for (const [args, message] of [
      [[], 'Usage: atomic-log'],
      [['no-such-command'], "unknown command 'no-such-command'"],
      [['toString'], "unknown command 'toString'"],
    ] as const) {
      const { status, errors } = await attempt(project, command, args);
      expect(status).toBe(2);
      expect(errors).toContain(message);
    }
  });
});

test('loading it does not load what writes to disks, before it is asked for', async () => {
  const project = await installedProject();
  const program = `
    const durable = () => Object.keys(require.cache).filter((path) => /[\\\\/]dist[\\\\/]durable[\\\\/]/.test(path));
    const log = require('atomic-log');
    const before = durable();
    console.log(JSON.stringify([typeof log.AtomicLog, before, typeof log.SegmentWriter, durable().length > 0]));
  `;
  const output = await run(project, process.execPath, ['-e', program]);
  expect(JSON.parse(output)).toEqual(['function', [], 'function', true]);
});
