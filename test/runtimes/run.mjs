// Runs the jest suite on every supported runtime with the one binary in
// build/Release: `npm run test:runtimes`. Fails when any test fails that
// test/support/runtime.ts does not skip.
//
// A run of all of them and of all tests rewrites the table in the README;
// `-- --only node26` and `-- test/threads` only print theirs.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { format, resolveConfig } from 'prettier';
import { install, pinOf, runtimes } from './install.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const results = join(here, 'results');
const readme = join(root, 'README.md');
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const differences = JSON.parse(readFileSync(join(here, 'differences.json'), 'utf8'));

/** A runtime that hangs must not hang the command; a run takes about a minute. */
const RUN_MS_MAX = 8 * 60_000;
const LOG_LINES = 60;

const names = runtimes.map(({ name }) => name);
const program = new Command('npm run test:runtimes --')
  .description('runs the jest suite on every supported runtime (Linux x64)')
  .argument('[jest...]', 'arguments for jest, such as files')
  .option('--only <names>', `some of ${names.join(',')}`, (list) => list.split(','))
  .parse();
const { only } = program.opts();

if (process.platform !== 'linux' || process.arch !== 'x64') {
  program.error('the runtimes are pinned for Linux x64 only', { exitCode: 2 });
}
const unknown = only?.find((name) => !names.includes(name));
if (unknown !== undefined) {
  program.error(`no runtime ${unknown}; there are ${names.join(', ')}`, { exitCode: 2 });
}

/** Runs the suite; returns what the table says of it. */
function run(runtime) {
  const binary = install(runtime);
  const report = join(results, `${runtime.name}.json`);
  const log = join(results, `${runtime.name}.log`);
  rmSync(report, { force: true });
  const output = openSync(log, 'w');
  const args = [...runtime.flags, jest, '--json', `--outputFile=${report}`, ...program.args];
  const { signal, status } = spawnSync(binary, args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', output, output],
    timeout: RUN_MS_MAX,
    killSignal: 'SIGKILL',
  });
  closeSync(output);

  const row = { runtime, passed: 0, skipped: 0, failed: 0, problem: '' };
  try {
    const counts = JSON.parse(readFileSync(report, 'utf8'));
    row.passed = counts.numPassedTests;
    row.skipped = counts.numPendingTests;
    row.failed = counts.numFailedTests + counts.numRuntimeErrorTestSuites;
  } catch {
    row.problem = 'no result';
  }
  if (signal !== null) row.problem = `ended by ${signal}`;
  else if (status !== 0 && row.failed === 0) row.problem ||= `exit status ${status}`;
  if (row.failed > 0 || row.problem !== '') {
    console.log(readFileSync(log, 'utf8').split('\n').slice(-LOG_LINES).join('\n'));
    console.log(`the whole of it: ${log}`);
  }
  return row;
}

function line({ runtime, passed, skipped, failed, problem }) {
  const cells = [
    runtime.title,
    pinOf(runtime).version,
    passed,
    skipped,
    problem === '' ? failed : `${failed}, ${problem}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What users must know, and why tests are skipped. */
function notes(rows) {
  return differences
    .map(({ runtime, note }) => ({ row: rows.find((row) => row.runtime.family === runtime), note }))
    .filter(({ row }) => row !== undefined)
    .map(({ row, note }) => `- **${row.runtime.title}**: ${note}.`);
}

async function table(rows) {
  const lines = [
    '| runtime | version | passed | skipped | failed |',
    '| - | - | -: | -: | -: |',
    ...rows.map(line),
    '',
    ...notes(rows),
  ];
  return format(lines.join('\n'), { ...(await resolveConfig(readme)), parser: 'markdown' });
}

function writeReadme(text) {
  const marked = /(<!-- runtimes -->\n\n)[^]*?(\n<!-- \/runtimes -->)/;
  const old = readFileSync(readme, 'utf8');
  if (!marked.test(old)) throw new Error('README.md has lost its <!-- runtimes --> markers');
  writeFileSync(
    readme,
    old.replace(marked, (_, before, after) => before + text + after),
  );
}

mkdirSync(results, { recursive: true });
const rows = [];
for (const runtime of runtimes.filter(({ name }) => only?.includes(name) ?? true)) {
  console.log(`${runtime.title} ${pinOf(runtime).version}`);
  const row = run(runtime);
  console.log(`  ${row.passed} passed, ${row.skipped} skipped, ${row.failed} failed ${row.problem}`);
  rows.push(row);
}
const text = await table(rows);
console.log(`\n${text}`);
if (only === undefined && program.args.length === 0) writeReadme(text);
process.exitCode = rows.some(({ failed, problem }) => failed > 0 || problem !== '') ? 1 : 0;
