// Runtimes of other machines, which run here through an emulator and load the
// prebuilt binary of their machine (npm run prebuild:all). What has no emulator
// installed is left out, and keeps its row.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPinned } from '../../scripts/prebuild/pinned-packages.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');

/**
 * @typedef {object} Emulation
 * @property {string} needs The file that says that the emulator is installed.
 * @property {string} packages Debian's packages that bring it.
 * @property {readonly string[]} launcher What runs the program on this machine.
 * @property {readonly string[]} preload The flag of the runtime that loads a file first.
 * @property {() => NodeJS.ProcessEnv} variables
 * @property {readonly string[]} leavesOut Tests that the emulator cannot carry, as patterns of files.
 * @property {readonly string[]} skips Single tests, as patterns of names: the table counts them as skipped.
 * @property {string} note Why.
 */

/** Debian's libstdc++ with what it misses on musl; returns its folder. */
function librariesForMusl() {
  const folder = join(root, '.tools', 'musl');
  mkdirSync(folder, { recursive: true });
  for (const name of ['libstdc++.so.6', 'libgcc_s.so.1']) {
    copyFileSync(join('/usr/lib/x86_64-linux-gnu', name), join(folder, name));
  }
  const toolchain = installPinned('toolchain', join(root, 'scripts', 'prebuild', 'toolchain'));
  const zig = join(toolchain, '@ryoppippi', 'zig-linux-x64', 'zig');
  const args = ['cc', '-target', 'x86_64-linux-musl', '-shared', '-fPIC', '-O1'];
  args.push(join(here, 'musl', 'glibc_names.c'), '-o', join(folder, 'ld-linux-x86-64.so.2'));
  execFileSync(zig, args, { stdio: 'inherit' });
  return folder;
}

const arm64 = {
  needs: '/usr/bin/qemu-aarch64',
  packages: 'qemu-user libc6-arm64-cross libstdc++6-arm64-cross libatomic1-arm64-cross',
  launcher: ['/usr/bin/qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'],
  preload: ['--require'],
  variables: () => ({}),
  leavesOut: [
    'test/crash/',
    'test/threads/(?!attach|readers)',
    'test/unit/(cli/main|base/index|memory/model|base/native|(memory|durable|processes)/out-of-memory|memory/pins|documents/(readme|code)|durable/segment/recovery|durable/wal/recovery|scripts/(benchmark-units|build-addon))\\.',
    'test/types/',
  ],
  skips: [],
  note:
    'an emulator runs it twenty times slower, so long tests, tests that start many processes, ' +
    'and those that compile addons of their own are left out',
};

const windows = {
  needs: '/usr/lib/wine/wine64',
  packages: 'wine64',
  launcher: ['/usr/lib/wine/wine64'],
  preload: ['--require'],
  variables: () => ({
    WINEDEBUG: '-all',
    WINEPREFIX: process.env.WINEPREFIX ?? join(root, '.tools', 'wine'),
    NODE_SKIP_PLATFORM_CHECK: '1',
  }),
  leavesOut: [
    'test.crash.',
    'test.threads.(leaks|native-|torture|segments|worker-death)',
    'test.unit.*[^a-z-](benchmark-units|build-addon|code|index|native|out-of-memory|readme)\\.',
    'test.types.',
  ],
  skips: [
    'a handle of another copy of the addon',
    'a full disk is an error with a code',
    // The name of a file that was deleted while it is open:
    'an awaited checkpoint has deleted the files',
    'are told of each file once, while it is there',
    'says that the file was (deleted|replaced)',
    // Wine shows the folder of Linux, under other names:
    'leaves no file open',
  ],
  note:
    'Wine makes no links, does not refuse files larger than the disk, keeps the name of a deleted file while ' +
    'it is open, and takes a second to start a worker: what needs that, compiles addons or starts hundreds of ' +
    'workers is left out',
};

/** @type {(major: number, machine: string, title: string, target: string, binary: string, emulation: Emulation) => import('./install.mjs').Runtime} */
const node = (major, machine, title, target, binary, emulation) => ({
  name: `node${major}-${machine}`,
  family: 'node',
  title: `Node.js, ${title}`,
  target,
  binary,
  flags: [],
  emulation,
});

/** @type {readonly import('./install.mjs').Runtime[]} */
export const emulated = [
  ...[20, 22].map((major) =>
    node(major, 'arm64', 'Linux arm64 (qemu)', 'linux-arm64-glibc', 'bin/node', arm64),
  ),
  ...[20, 22].map((major) =>
    node(major, 'windows', 'Windows x64 (Wine)', 'win32-x64', 'bin/node.exe', windows),
  ),
  {
    name: 'bun-musl',
    family: 'bun',
    title: 'Bun, Linux x64 with musl',
    target: 'linux-x64-musl',
    binary: 'bin/bun',
    flags: ['--bun'],
    emulation: {
      needs: '/lib/ld-musl-x86_64.so.1',
      packages: 'musl',
      launcher: [],
      preload: ['--preload'],
      variables: () => ({ LD_LIBRARY_PATH: librariesForMusl() }),
      leavesOut: [
        'test/threads/(native-|torture)',
        'test/unit/(memory/out-of-memory|scripts/benchmark-units)\\.',
      ],
      skips: [],
      note: "Debian's musl with Debian's libstdc++; tests that compile addons for glibc are left out",
    },
  },
];

export const isInstalled = ({ emulation }) => emulation === undefined || existsSync(emulation.needs);
