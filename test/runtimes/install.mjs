// The runtimes that the suite runs on. Each is an npm package, pinned in a folder
// of its own beside this file and installed there on demand: they are large, and
// their `node` must never shadow the real one. ATOMIC_LOG_RUNTIMES names a folder
// to keep them in instead, which several clones can share.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emulated } from './emulated.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const store = process.env.ATOMIC_LOG_RUNTIMES ?? here;

/**
 * @typedef {object} Runtime
 * @property {string} name Also of its folder.
 * @property {'node' | 'bun' | 'deno'} family What test/support/runtime.ts calls it.
 * @property {string} title
 * @property {string} target The prebuilt binary that it loads, as scripts/prebuild/targets.mjs calls it.
 * @property {string} binary Inside its package.
 * @property {readonly string[]} flags Before the script; child processes are started without.
 * @property {import('./emulated.mjs').Emulation} [emulation] Where it is one of another machine.
 */

const TARGET = 'linux-x64-glibc';

/** @type {(major: number) => Runtime} */
const node = (major) => ({
  name: `node${major}`,
  family: 'node',
  title: 'Node.js',
  target: TARGET,
  binary: 'bin/node',
  flags: [],
});

/** @type {readonly Runtime[]} */
export const runtimes = [
  node(20),
  node(22),
  node(24),
  node(26),
  { name: 'bun', family: 'bun', title: 'Bun', target: TARGET, binary: 'bin/bun', flags: ['--bun'] },
  {
    name: 'deno',
    family: 'deno',
    title: 'Deno',
    target: TARGET,
    binary: 'deno',
    flags: ['run', '--allow-all'],
  },
  ...emulated,
];

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** The package that a runtime comes in, and its pinned version. */
export function pinOf({ name }) {
  const [pin] = Object.entries(readJson(join(here, name, 'package.json')).dependencies);
  return { packageName: pin[0], version: pin[1] };
}

/** Installs the runtime where it is missing; returns its binary. */
export function install(runtime) {
  const { packageName, version } = pinOf(runtime);
  const folder = join(store, runtime.name);
  const installed = join(folder, 'node_modules', packageName);
  const manifest = join(installed, 'package.json');
  if (!existsSync(manifest) || readJson(manifest).version !== version) {
    console.log(`installing ${packageName} ${version} into ${folder}`);
    if (store !== here) {
      mkdirSync(folder, { recursive: true });
      for (const file of ['package.json', 'package-lock.json']) {
        copyFileSync(join(here, runtime.name, file), join(folder, file));
      }
    }
    const flags = ['--ignore-scripts', '--no-bin-links', '--no-audit', '--no-fund'];
    if (runtime.emulation !== undefined) flags.push('--force'); // it is for another machine
    execFileSync('npm', ['ci', ...flags], { cwd: folder, stdio: 'inherit' });
  }
  return join(installed, runtime.binary);
}
