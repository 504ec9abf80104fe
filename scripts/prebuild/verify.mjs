// Builds binaries twice, from two copies of the checkout in folders of other names, and compares them
// bit for bit: `npm run prebuild:verify -- [names of targets]`. Without names, the one of this machine
// and one that is cross-compiled.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { installPinned } from './pinned-packages.mjs';
import { targets } from './targets.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const given = process.argv.slice(2);
const names = given.length > 0 ? given : ['linux-x64-glibc', 'win32-arm64'];
const unknown = names.find((name) => !targets.some((target) => target.name === name));
if (unknown !== undefined) {
  console.error(`no target ${unknown}; there are ${targets.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

/** What is compiled in or read by the build; copied, since a link would lead both to one place. */
const PACKAGES = [
  'node-addon-api',
  '.zstd',
  'node-gyp',
  'cli-progress',
  'string-width',
  'strip-ansi',
  'ansi-regex',
];
const MORE = ['emoji-regex', 'is-fullwidth-code-point'];

/** The tracked files as they are now, and the packages that the build needs. */
function copyTo(folder) {
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\0')
    .filter(Boolean);
  for (const file of files.filter((name) => /^(src-native|scripts|binding\.gyp|package\.json)/.test(name))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file));
  }
  for (const name of [...PACKAGES, ...MORE])
    cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
}

// Zig, and its own libraries, are the same for both; what is compiled here is not shared.
const store = dirname(dirname(installPinned('toolchain', join(here, 'toolchain'))));
const work = mkdtempSync(join(tmpdir(), 'atomic-log-verify-'));
const folders = [join(work, 'a'), join(work, 'another-folder', 'of-another-length')];

/** Builds in a copy of its own, at the same time as the other one. */
async function buildIn(folder, i) {
  copyTo(folder);
  const env = { ...process.env, ATOMIC_LOG_TOOLS: store, ZIG_LOCAL_CACHE_DIR: join(folder, 'zig-cache') };
  const args = [join(folder, 'scripts', 'prebuild', 'all.mjs'), '--anew', ...names];
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) console.log(`build ${i + 1}: ${line}`);
  if (child.exitCode === null) await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`building in ${folder} failed`);
}

try {
  await Promise.all(folders.map(buildIn));
  for (const { name, file } of targets.filter((target) => names.includes(target.name))) {
    const [one, other] = folders.map((folder) => readFileSync(join(folder, 'prebuilds', file)));
    const hash = createHash('sha256').update(one).digest('hex');
    const found = one.findIndex((byte, i) => byte !== other[i]);
    const at = found < 0 ? one.length : found;
    const isSame = one.equals(other);
    console.log(
      `${name.padEnd(18)} ${isSame ? `the same twice, sha256 ${hash}` : `DIFFERS, from byte ${at} on`}`,
    );
    if (!isSame) process.exitCode = 1;
  }
} finally {
  if (process.exitCode !== 1) rmSync(work, { recursive: true, force: true });
  else console.log(`both are in ${work}`);
}
