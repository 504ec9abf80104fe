// Makes dist/cli/main.js one file, the last step of `npm run build:lib`: what the
// command line is parsed and its progress is shown with is in it, so that the
// package depends on nothing. The library itself stays outside.
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { buildSync } from 'esbuild';

import { writeLicenses } from './third-party-licenses.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'dist', 'cli');
const modules = readdirSync(join(root, 'dist'), { recursive: true })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.js') && !name.startsWith('cli/'));

const { metafile } = buildSync({
  absWorkingDir: root,
  entryPoints: [join(folder, 'main.js')],
  outfile: join(folder, 'main.js'),
  allowOverwrite: true,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // Colours of its own, which cli-table3 asks for in vain where a table has none.
  external: ['@colors/colors', ...modules.map((name) => `../${name.slice(0, -'.js'.length)}`)],
  metafile: true,
  logLevel: 'warning',
});
const packages = Object.keys(metafile.inputs).flatMap(
  (path) => path.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? [],
);
for (const name of readdirSync(folder)) if (name !== 'main.js') rmSync(join(folder, name));

writeLicenses(
  join(folder, 'LICENSES.txt'),
  'main.js',
  [...new Set(packages)].sort().map((path) => join(root, path)),
);
