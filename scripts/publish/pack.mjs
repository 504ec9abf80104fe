// Before and after npm packs the package: `node scripts/publish/pack.mjs before | after`.
//
// Before, binding.gyp is put where npm does not take it for a reason to compile, and the
// links of the documents are made absolute where they lead out of the tarball. package.json
// has no `prepare` there: npm warns whoever installs a tarball that has one. After, all is
// as it was; the next time, when packing did not end. What somebody changed in the meantime
// is left alone.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { absoluteLinks, addressOf } from './links.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const originals = join(root, 'node_modules', '.unpacked-documents.json');

export function packedFiles() {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const printed = execFileSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
  return new Set(JSON.parse(printed)[0].files.map(({ path }) => path));
}

/** As the text of the file is otherwise. */
const withoutPrepare = (text) => text.replace(/^ *"prepare": .*\n/m, '');

export function before() {
  after();
  copyFileSync(join(root, 'binding.gyp'), join(root, 'src-native', 'addon.gyp'));
  const packed = packedFiles();
  const address = addressOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  const documents = [...packed].filter((path) => path.endsWith('.md'));
  const changes = documents.map((path) => {
    const original = readFileSync(join(root, path), 'utf8');
    return { path, original, changed: absoluteLinks(original, path, packed, address) };
  });
  const manifest = readFileSync(join(root, 'package.json'), 'utf8');
  changes.push({ path: 'package.json', original: manifest, changed: withoutPrepare(manifest) });
  mkdirSync(dirname(originals), { recursive: true });
  writeFileSync(originals, JSON.stringify(changes));
  for (const { path, changed } of changes) writeFileSync(join(root, path), changed);
}

export function after() {
  if (!existsSync(originals)) return;
  for (const { path, original, changed } of JSON.parse(readFileSync(originals, 'utf8'))) {
    const file = join(root, path);
    if (readFileSync(file, 'utf8') === changed) writeFileSync(file, original);
  }
  rmSync(originals);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ({ before, after })[process.argv[2]]();
