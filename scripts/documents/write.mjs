// Writes what in the documents comes from the benchmarks' results, between markers, and the chart; and
// what docs/evidence.md has of test/evidence/evidence.json. `--check` only says what is old.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { chart } from './chart.mjs';
import { errorNamesOf, withEvidence } from './evidence.mjs';
import { withFigures } from './figures.mjs';
import { resultsOf } from './results.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');
const results = resultsOf(read('benchmarks/RESULTS.md'));
const documents = ['README.md', 'docs/durability.md', 'docs/performance.md'];

const made = [['docs/images/writer-cost.svg', chart(results)]];
for (const path of documents) {
  const options = { ...(await resolveConfig(join(root, path))), filepath: path };
  made.push([path, await format(withFigures(read(path), results), options)]);
}

const evidence = JSON.parse(read('test/evidence/evidence.json'));
const names = {
  durability: read('docs/durability.md'),
  errorNames: errorNamesOf(read('src-native/core/platform/io_status.h')),
};
const page = 'docs/evidence.md';
const style = { ...(await resolveConfig(join(root, page))), filepath: page };
made.push([page, await format(withEvidence(read(page), evidence, names), style)]);

const old = made.filter(([path, text]) => {
  try {
    return read(path) !== text;
  } catch {
    return true;
  }
});
if (process.argv.includes('--check')) {
  for (const [path] of old) console.error(`${path} does not say what its source says`);
  if (old.length > 0) console.error('npm run docs:figures writes them');
  process.exitCode = old.length > 0 ? 1 : 0;
} else {
  for (const [path, text] of old) {
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
}
