// Formats every C++ file with clang-format; with --check, only says which are not.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const clangFormat = createRequire(import.meta.url).resolve('clang-format');

function sources(directory) {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'build' ? [] : sources(path);
    return /\.(cc|h)$/.test(entry.name) ? [path] : [];
  });
}

const options = process.argv.includes('--check') ? ['--dry-run', '--Werror'] : ['-i'];
const files = ['src-native', 'test/native', 'test/addon', 'benchmarks/bare-addon', 'examples'].flatMap(
  sources,
);
const { status } = spawnSync(process.execPath, [clangFormat, ...options, ...files], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
