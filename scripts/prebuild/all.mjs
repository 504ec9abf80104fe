// Builds the binaries that the package brings, all of them on one Linux x64
// machine: `npm run prebuild:all -- [names of targets]`. What was built from the same sources,
// flags and tools before is taken from there; --anew builds it all the same.
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SingleBar } from 'cli-progress';
import { crossCompile } from './cross-compile.mjs';
import { writeLicenses } from '../third-party-licenses.mjs';
import { installPinned } from './pinned-packages.mjs';
import { LICENSES, targets } from './targets.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const prebuilds = join(root, 'prebuilds');
const isAnew = process.argv.includes('--anew');
const names = process.argv.slice(2).filter((name) => name !== '--anew');

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('prebuild:all needs Linux x64; "npm run prebuild" builds the binary of this machine');
  process.exit(2);
}
const unknown = names.find((name) => !targets.some((target) => target.name === name));
if (unknown !== undefined) {
  console.error(`no target ${unknown}; there are ${targets.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const modules = installPinned('toolchain', join(here, 'toolchain'));
const zig = join(modules, '@ryoppippi', 'zig-linux-x64');
const tools = {
  cache: join(modules, '..', '..', 'zig-cache'),
  built: isAnew ? mkdtempSync(join(tmpdir(), 'atomic-log-built-')) : join(modules, '..', '..', 'built'),
  zig: join(zig, 'zig'),
  headers: join(modules, 'node-api-headers'),
  prebuilds,
};

// What is linked in, besides the package's own code.
const inPackages = ['node-addon-api', '.zstd/node_modules/zstd-napi/deps/zstd'];
mkdirSync(prebuilds, { recursive: true });
writeLicenses(join(prebuilds, LICENSES), 'Each of these binaries', [
  ...inPackages.map((name) => join(root, 'node_modules', name)),
  tools.headers,
  [zig, 'zig'],
  ...['libcxx', 'libcxxabi', 'libunwind'].map((name) => join(zig, 'lib', name)),
  [join(zig, 'lib', 'libc', 'mingw'), 'mingw-w64 (Windows)'],
]);

const chosen = targets.filter(({ name }) => names.length === 0 || names.includes(name));
for (const [i, target] of chosen.entries()) {
  const bar = new SingleBar({
    format: `${i + 1} of ${chosen.length}: ${target.name.padEnd(18)} {value} of {total} files compiled, {duration_formatted}`,
    noTTYOutput: true,
    notTTYSchedule: 10_000,
    clearOnComplete: true,
  });
  const start = Date.now();
  const { place, isKept } = await crossCompile(target, tools, (done, all) => {
    if (done === 0) bar.start(all, 0);
    bar.update(done);
  }).finally(() => bar.stop());
  const how = isKept ? 'as built before' : `built in ${Math.round((Date.now() - start) / 1000)} s`;
  console.log(`${target.name.padEnd(18)} ${Math.ceil(statSync(place).size / 1024)} KiB, ${how}`);
}
if (isAnew) rmSync(tools.built, { recursive: true });
