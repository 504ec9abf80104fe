// Runs the questions of benchmarks/memory one after the other, each in a process
// of its own, and prints what they answer: `npm run bench`.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { format, resolveConfig } from 'prettier';
import { waitForQuiet, withLoad } from './other-load.mjs';
import { installedPeers, installPeers } from './install-peers.mjs';
import { markdownReport, terminalReport } from './results.mjs';

const folder = fileURLToPath(new URL('./memory/', import.meta.url));
const results = fileURLToPath(new URL('./RESULTS.md', import.meta.url));

/** The order of the report. A file whose name has a dash is started by another one. */
const ORDER = 'append follower batch refresh snapshot roll sum readers logs read records peers'.split(' ');
const rank = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
const questions = readdirSync(folder)
  .filter((name) => name.endsWith('.mjs') && !name.includes('-'))
  .map((name) => name.slice(0, -'.mjs'.length))
  .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));

const program = new Command('npm run bench --')
  .description('ratios measured within one run, whether they meet their targets, and the peers beside them')
  .option('--list', 'list the questions')
  .option('--only <names...>', 'ask these questions only')
  .option('--quick', 'one round each: to see that everything runs, not how fast')
  .option('--write', 'write benchmarks/RESULTS.md')
  .parse();
const { list, only = questions, quick, write } = program.opts();

const unknown = only.find((name) => !questions.includes(name));
if (unknown !== undefined)
  program.error(`there is no question ${unknown}; there are ${questions.join(', ')}`, { exitCode: 2 });
if (write && (quick || only !== questions))
  program.error('--write needs all questions and all rounds; leave out --only and --quick', { exitCode: 2 });

/** The first sentences of its comment. */
function whatItAsks(name) {
  const [comment] = /^(\/\/.*\n)+/.exec(readFileSync(join(folder, `${name}.mjs`), 'utf8')) ?? [''];
  const text = comment.replaceAll(/^\/\/ ?/gm, '').replaceAll('\n', ' ');
  return /^.*?[?.](?= |$)/.exec(text)?.[0] ?? text;
}

async function ask(name) {
  const env = { ...process.env, BENCH_QUICK: quick ? '1' : '' };
  const options = { env, maxBuffer: 1 << 24 };
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, `${name}.mjs`)], options);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

async function main() {
  if (list) {
    for (const name of questions) console.log(`${name.padEnd(10)} ${whatItAsks(name)}`);
    return;
  }
  if (only.includes('peers')) await installPeers();
  const rows = [];
  const disturbed = [];
  for (const name of only) {
    if (process.stderr.isTTY) console.error(`${name} ...`);
    if (!quick) await waitForQuiet();
    const { result, load, isDisturbed } = await withLoad(() => ask(name));
    if (isDisturbed) disturbed.push(`${name} (${load.toFixed(1)} cores)`);
    rows.push(...result);
  }
  console.log(terminalReport(rows, disturbed));
  if (!write) return;
  const options = await resolveConfig(results);
  const text = await format(markdownReport(rows, disturbed, installedPeers()), {
    ...options,
    filepath: results,
  });
  writeFileSync(results, text);
}

await main();
