// What binding.gyp needs to build zstd into the addon, one item a line:
//
//   node src-native/zstd.mjs sources | defines
//
// The sources come with the npm package zstd-napi, which is needed for building
// only. Without them the addon is built without compression.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const library = 'node_modules/zstd-napi/deps/zstd/lib';
const isThere = existsSync(join(root, library, 'zstd.h'));

const answers = {
  sources: () =>
    ['common', 'compress', 'decompress'].flatMap((folder) =>
      readdirSync(join(root, library, folder))
        .filter((name) => name.endsWith('.c'))
        .map((name) => `${library}/${folder}/${name}`),
    ),
  // Every symbol stays hidden: Node exports a zstd of its own, and a library
  // that is visible would be bound to it.
  defines: () => [
    'ATOMIC_LOG_HAS_ZSTD',
    'ZSTD_DISABLE_ASM',
    'ZSTD_TRACE=0',
    'ZSTDLIB_VISIBLE=',
    'ZSTDERRORLIB_VISIBLE=',
  ],
};
if (isThere) console.log(answers[process.argv[2]]().join('\n'));
