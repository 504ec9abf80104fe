import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const sources = ['binding.gyp', 'src-native/binding', 'src-native/core'];

/** When the file, or the latest in the folder, was written. */
function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Those of the targets whose binary is not there, or older than a source. */
export function missing(targets) {
  const latest = Math.max(...sources.map((path) => newest(join(root, path))));
  return targets.filter(({ file }) => {
    const binary = join(root, 'prebuilds', file);
    return !existsSync(binary) || statSync(binary).mtimeMs < latest;
  });
}
