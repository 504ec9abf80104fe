// Writes what in the documents comes from the benchmarks' results: the figures between markers, and
// the chart. `--check` only says what is old.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { chart } from './chart.mjs';
import { withFigures } from './figures.mjs';
import { resultsOf } from './results.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');
const results = resultsOf(read('benchmarks/RESULTS.md'));
const documents = ['README.md', 'docs/performance.md'];

const made = [['docs/images/writer-cost.svg', chart(results)]];
for (const path of documents) {
  const options = { ...(await resolveConfig(join(root, path))), filepath: path };
  made.push([path, await format(withFigures(read(path), results), options)]);
}

const old = made.filter(([path, text]) => {
  try {
    return read(path) !== text;
  } catch {
    return true;
  }
});
if (process.argv.includes('--check')) {
  for (const [path] of old) console.error(`${path} does not say what benchmarks/RESULTS.md says`);
  if (old.length > 0) console.error('npm run docs:figures writes them');
  process.exitCode = old.length > 0 ? 1 : 0;
} else {
  for (const [path, text] of old) {
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
}
