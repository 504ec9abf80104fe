// Programs that bundlers made of the installed package, by the recipes of
// docs/packaging.md: either the package stays outside of the bundle, or its folder
// prebuilds/ is copied beside it. Then the bundle works without node_modules.
import { chmodSync, copyFileSync, cpSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { expectReport, installedProject, run, tool } from './support/project';

/** Takes the installed package away, but for its binaries, and runs what is in out/. */
async function expectBundleWorks(project: string, file: string): Promise<void> {
  const modules = join(project, 'node_modules');
  cpSync(join(modules, 'atomic-log', 'prebuilds'), join(project, 'out', 'prebuilds'), { recursive: true });
  renameSync(modules, join(project, 'elsewhere'));
  const output = await run(project, process.execPath, [join('out', file)]);
  expectReport(output, join(project, 'out'));
}

/** A bundle that still requires the package. */
async function expectExternalWorks(project: string, file: string): Promise<void> {
  expect(readFileSync(join(project, 'out', file), 'utf8')).toMatch(/(require\(|from ?)["']atomic-log["']/);
  expectReport(await run(project, process.execPath, [join('out', file)]), join(project, 'node_modules'));
}

const esbuild = tool('esbuild/bin/esbuild');
const rollup = tool('rollup/dist/bin/rollup');
const vite = tool('vite/bin/vite.js');

describe('esbuild', () => {
  test('with the package inside, and a worker that runs the same bundle', async () => {
    const project = await installedProject();
    const args = ['report.cjs', '--bundle', '--minify', '--platform=node', '--outfile=out/bundle.cjs'];
    await run(project, esbuild, args);
    await expectBundleWorks(project, 'bundle.cjs');
  });

  test('with the package outside, as an ES module', async () => {
    const project = await installedProject();
    const args = ['--bundle', '--platform=node', '--format=esm', '--external:atomic-log'];
    await run(project, esbuild, ['single.mjs', ...args, '--outfile=out/bundle.mjs']);
    await expectExternalWorks(project, 'bundle.mjs');
  });
});

describe('webpack', () => {
  const build = `
    const webpack = require(process.argv[2]);
    const options = {
      mode: 'production',
      target: 'node',
      context: __dirname,
      entry: './report.cjs',
      output: { path: __dirname + '/out', filename: 'bundle.cjs' },
      externals: process.argv[3] === 'outside' ? { 'atomic-log': 'commonjs atomic-log' } : {},
    };
    webpack(options, (error, stats) => {
      if (error || stats.hasErrors() || stats.hasWarnings()) {
        console.error(error ?? stats.toString());
        process.exitCode = 1;
      }
    });
  `;

  test('with the package inside, without a warning', async () => {
    const project = await installedProject({ 'build.cjs': build });
    await run(project, process.execPath, ['build.cjs', tool('webpack')]);
    await expectBundleWorks(project, 'bundle.cjs');
  });

  test('with the package outside', async () => {
    const project = await installedProject({ 'build.cjs': build });
    await run(project, process.execPath, ['build.cjs', tool('webpack'), 'outside']);
    await expectExternalWorks(project, 'bundle.cjs');
  });
});

describe('rollup', () => {
  const config = `
    import commonjs from ${JSON.stringify(tool('@rollup/plugin-commonjs/dist/es/index.js'))};
    import resolve from ${JSON.stringify(tool('@rollup/plugin-node-resolve/dist/es/index.js'))};
    export default { input: 'single.mjs', external: [/^node:/], plugins: [resolve(), commonjs()] };
  `;

  for (const [format, file] of [
    ['es', 'bundle.mjs'],
    ['cjs', 'bundle.cjs'],
  ] as const) {
    test(`with the package inside, format ${format}`, async () => {
      const project = await installedProject({ 'rollup.config.mjs': config });
      await run(project, process.execPath, [rollup, '-c', '--format', format, '--file', `out/${file}`]);
      await expectBundleWorks(project, file);
    });
  }
});

describe('Vite, for the server', () => {
  const config = (noExternal: string): string => `
    export default {
      ssr: { noExternal: ${noExternal} },
      build: { ssr: 'single.mjs', outDir: 'out', rollupOptions: { output: { entryFileNames: 'bundle.mjs' } } },
    };
  `;

  test('with the package outside, which is what it does by itself', async () => {
    const project = await installedProject({ 'vite.config.mjs': config('[]') });
    await run(project, process.execPath, [vite, 'build']);
    await expectExternalWorks(project, 'bundle.mjs');
  });

  test('with the package inside', async () => {
    const project = await installedProject({ 'vite.config.mjs': config('true') });
    await run(project, process.execPath, [vite, 'build']);
    await expectBundleWorks(project, 'bundle.mjs');
  });
});

test('an asar archive, with the binaries unpacked', async () => {
  const project = await installedProject();
  const archive = `
    const asar = require(process.argv[2]);
    const { statSync } = require('node:fs');
    (async () => {
      await asar.createPackageWithOptions('.', '../app.asar', { unpack: '*.node' });
      const addons = asar.listPackage('../app.asar').filter((file) => file.endsWith('.node'));
      for (const file of addons) {
        if (asar.statFile('../app.asar', file.slice(1)).unpacked !== true) throw new Error(file + ' is packed');
        statSync('../app.asar.unpacked' + file);
      }
      asar.extractAll('../app.asar', 'out');
      console.log(addons.length);
    })();
  `;
  // Electron reads from the archive as from a folder; here it is extracted for that.
  const addons = await run(project, process.execPath, ['-e', archive, '_', tool('@electron/asar')]);
  expect(Number(addons)).toBeGreaterThan(0);
  expectReport(await run(project, process.execPath, ['out/report.cjs']), join(project, 'out'));
});

// Elsewhere the copy of the executable has to be signed again; and a Node without the fuse cannot be injected into.
const canMakeSingleExecutables =
  process.platform === 'linux' &&
  readFileSync(process.execPath).includes('NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0');

(canMakeSingleExecutables ? test : test.skip)('a single executable application', async () => {
  const project = await installedProject({
    'sea.json': JSON.stringify({
      main: 'out/bundle.cjs',
      output: 'sea.blob',
      disableExperimentalSEAWarning: true,
    }),
  });
  await run(project, esbuild, ['single.cjs', '--bundle', '--platform=node', '--outfile=out/bundle.cjs']);
  await run(project, process.execPath, ['--experimental-sea-config', 'sea.json']);
  const program = join(project, 'out', 'program');
  copyFileSync(process.execPath, program);
  chmodSync(program, 0o755);
  const fuse = ['--sentinel-fuse', 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'];
  await run(project, process.execPath, [
    tool('postject/dist/cli.js'),
    program,
    'NODE_SEA_BLOB',
    'sea.blob',
    ...fuse,
  ]);

  cpSync(join(project, 'node_modules', 'atomic-log', 'prebuilds'), join(project, 'out', 'prebuilds'), {
    recursive: true,
  });
  renameSync(join(project, 'node_modules'), join(project, 'elsewhere'));
  expectReport(await run(project, program, []), join(project, 'out'));
});
