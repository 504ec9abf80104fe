// What a binary is made from, as one hash: two builds of the same hash give the same bytes, which
// verify.mjs shows.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Every file below, in one order on every machine. */
function filesOf(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesOf(join(path, name)));
}

/**
 * @param {string} root of the checkout, whose place does not matter
 * @param {readonly string[]} paths files and folders in it: sources, and the scripts with flags and versions of tools
 * @param {unknown} settings the target, and what gyp makes of binding.gyp for it
 */
export function madeFrom(root, paths, settings) {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(settings).replaceAll(JSON.stringify(root).slice(1, -1), '.'));
  for (const path of paths) {
    for (const file of filesOf(join(root, path))) {
      const bytes = readFileSync(file);
      hash.update(`\n${file.slice(root.length).replaceAll('\\', '/')} ${bytes.length}\n`);
      hash.update(bytes);
    }
  }
  return hash.digest('hex').slice(0, 32);
}
