// The sources of zstd, which is built into the addon:
//
//   node scripts/zstd.mjs fetch                 from the npm registry, unless they are there
//   node scripts/zstd.mjs sources | defines     for binding.gyp, one item a line
//
// They come with the npm package zstd-napi. It is no dependency, because it would build
// an addon of its own: what is pinned in zstd/package-lock.json is installed without its
// scripts, into a folder of its own, before gyp runs (by build-addon.mjs, so also by
// `npm ci`). gyp itself needs no registry. Where they cannot be had, the addon is built
// without compression.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const folder = 'node_modules/.zstd';
const library = `${folder}/node_modules/zstd-napi/deps/zstd/lib`;

const isThere = () => existsSync(join(root, library, 'zstd.h'));

function install() {
  mkdirSync(join(root, folder), { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) {
    copyFileSync(join(here, 'zstd', name), join(root, folder, name));
  }
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: join(root, folder),
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
}

const answers = {
  sources: () =>
    ['common', 'compress', 'decompress'].flatMap((part) =>
      readdirSync(join(root, library, part))
        .filter((name) => name.endsWith('.c'))
        .map((name) => `${library}/${part}/${name}`),
    ),
  // Every symbol stays hidden: Node exports a zstd of its own, and a library
  // that is visible would be bound to it.
  defines: () => [
    'ATOMIC_LOG_HAS_ZSTD',
    'ZSTD_DISABLE_ASM',
    'ZSTD_TRACE=0',
    'ZSTDLIB_VISIBLE=',
    'ZSTDERRORLIB_VISIBLE=',
    // Records are compressed at level 3, which is ZSTD_dfast for data of any length: the other
    // strategies are a quarter of a megabyte, and no frame is another one without them.
    ...['GREEDY', 'LAZY', 'LAZY2', 'BTLAZY2', 'BTOPT', 'BTULTRA'].map(
      (strategy) => `ZSTD_EXCLUDE_${strategy}_BLOCK_COMPRESSOR`,
    ),
  ],
};

const [, , question] = process.argv;
if (question === 'fetch') {
  try {
    if (!isThere()) install();
  } catch (error) {
    console.error(`the sources of zstd cannot be had, so there will be no compression: ${error.message}`);
  }
} else if (isThere()) {
  console.log(answers[question]().join('\n'));
}
