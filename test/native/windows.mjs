// Builds the tests of the part of the core that talks to the system for Windows
// x64, with zig, and runs them in Wine (Debian's wine64):
//
//   node test/native/windows.mjs [arguments of doctest]
//
// WINE names another program than Debian's.
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inParallel } from '../../scripts/prebuild/in-parallel.mjs';
import { installPinned } from '../../scripts/prebuild/pinned-packages.mjs';

const execute = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const output = join(here, 'build', 'windows');
const wine = process.env.WINE ?? '/usr/lib/wine/wine64';
const target = ['-target', 'x86_64-windows-gnu'];
const flags = ['-std=c++20', '-O1', '-Wall', '-Wextra', '-Werror'];
const defines = ['-DATOMIC_LOG_FAULTS', '-DATOMIC_LOG_CHECKS'];
const includes = ['-Isrc-native', '-Itest/native', '-isystem', output];

const toolchain = installPinned('toolchain', join(root, 'scripts', 'prebuild', 'toolchain'));
const zig = join(toolchain, '@ryoppippi', 'zig-linux-x64', 'zig');
const env = { ...process.env, ZIG_GLOBAL_CACHE_DIR: join(toolchain, '..', '..', 'zig-cache') };
const run = (args) => execute(zig, args, { cwd: root, env });

const sourcesIn = (directory) =>
  readdirSync(join(root, directory))
    .filter((name) => name.endsWith('.cc'))
    .map((name) => `${directory}/${name}`);
const core = ['base', 'platform'].flatMap((part) => sourcesIn(`src-native/core/${part}`));
const support = ['unit_main.cc', 'support/faults.cc'];
/** Those that need nothing of POSIX. */
const tests = ['process_watch', 'shared_file_portable'].map((name) => `platform/${name}_test.cc`);
const sources = [...core, ...[...support, ...tests].map((name) => `test/native/${name}`)];

mkdirSync(output, { recursive: true });
// Alone: what else is there is for this machine.
try {
  symlinkSync('/usr/include/doctest', join(output, 'doctest'));
} catch (error) {
  if (error.code !== 'EEXIST') throw error;
}
const objects = sources.map((source) => join(output, `${source.replaceAll('/', '-')}.o`));
await inParallel(
  sources.map((source, i) => () => {
    // As in production: the core throws nothing and needs no type information.
    const own = source.startsWith('src-native') ? ['-fno-exceptions', '-fno-rtti'] : [];
    return run(['c++', ...target, ...flags, ...own, ...defines, ...includes, '-c', source, '-o', objects[i]]);
  }),
);
const program = join(output, 'unit_tests.exe');
await run(['c++', ...target, ...objects, '-o', program]);
const variables = { WINEDEBUG: '-all', WINEPREFIX: join(root, '.tools', 'wine') };
const { status } = spawnSync(wine, [program, ...process.argv.slice(2)], {
  cwd: output,
  env: { ...variables, ...process.env },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
