// Runs the questions in the folders beside this file one after the other, each in
// a process of its own, and prints what they answer: `npm run bench`.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { format, resolveConfig } from 'prettier';
import { againstReport, compareCheckouts } from './against.mjs';
import { conditions } from './conditions.mjs';
import { waitForQuiet, withLoad } from './other-load.mjs';
import { installedPeers, installPeers } from './install-peers.mjs';
import { markdownReport, terminalReport } from './results.mjs';
import { samplesReport } from './samples.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const results = join(here, 'RESULTS.md');

/** The order of the report; what is not named comes after it, by name. */
const ORDER = [
  ...[
    'memory',
    'units',
    'append',
    'follower',
    'batch',
    'alignment',
    'refresh',
    'snapshot',
    'attach',
    'start',
    'roll',
  ],
  ...['sum', 'readers', 'native', 'shared', 'logs', 'read', 'rows', 'records', 'values', 'peers'],
  ...['durable', 'wal', 'processes', 'pipelined', 'journal', 'forward'],
  ...['operations', 'readonly', 'latency', 'sender', 'takeover'],
];
const rank = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
const inOrder = (a, b) => rank(a) - rank(b) || a.localeCompare(b);

/** Every folder is a topic, and every file in it a question; one whose name has a dash is started by another. */
function allQuestions() {
  const topics = readdirSync(here, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map(({ name }) => name)
    .sort(inOrder);
  return topics.flatMap((topic) =>
    readdirSync(join(here, topic))
      .filter((name) => name.endsWith('.mjs') && !name.includes('-'))
      .map((name) => name.slice(0, -'.mjs'.length))
      .sort(inOrder)
      .map((name) => ({ topic, name, path: join(here, topic, `${name}.mjs`) })),
  );
}

const questions = allQuestions();
const program = new Command('npm run bench --')
  .description('ratios measured within one run, whether they meet their targets, and the peers beside them')
  .option('--list', 'list the questions')
  .option('--only <names...>', 'ask these questions, or those of these folders, only')
  .option('--check-units', 'only whether the units E and M are what they say')
  .option('--quick', 'one round each: to see that everything runs, not how fast')
  .option(
    '--write',
    'write benchmarks/RESULTS.md, the samples that it is made from, and the figures of the documents',
  )
  .option('--against <checkout>', "this build's times divided by those of another checkout that is built too")
  .option('--rounds <count>', 'with --against: how often each question is asked of both', '5')
  .parse();
const { list, checkUnits, quick, write, against, rounds } = program.opts();
const only = checkUnits ? ['memory/units'] : program.opts().only;

function chosenQuestions() {
  if (only === undefined) return questions;
  const isCalled = ({ topic, name }, what) => [topic, name, `${topic}/${name}`].includes(what);
  const unknown = only.find((what) => !questions.some((question) => isCalled(question, what)));
  if (unknown !== undefined) {
    const names = questions.map(({ name }) => name).join(', ');
    program.error(`there is no question ${unknown}; there are ${names}`, { exitCode: 2 });
  }
  return questions.filter((question) => only.some((what) => isCalled(question, what)));
}

/** The first sentence of its comment. */
function whatItAsks(path) {
  const [comment] = /^(\/\/.*\n)+/.exec(readFileSync(path, 'utf8')) ?? [''];
  const text = comment.replaceAll(/^\/\/ ?/gm, '').replaceAll('\n', ' ');
  return /^.*?[?.](?= |$)/.exec(text)?.[0] ?? text;
}

async function answersOf(path) {
  const env = { ...process.env, BENCH_QUICK: quick ? '1' : '' };
  const { stdout } = await promisify(execFile)(process.execPath, [path], { env, maxBuffer: 1 << 24 });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

const ask = async ({ topic, path }) => (await answersOf(path)).map((row) => ({ topic, ...row }));

async function main() {
  const chosen = chosenQuestions();
  if (list) {
    for (const { topic, name, path } of chosen)
      console.log(`${`${topic}/${name}`.padEnd(18)} ${whatItAsks(path)}`);
    return;
  }
  if (against !== undefined) {
    if (!(Number(rounds) >= 1)) program.error('--rounds must be at least 1', { exitCode: 2 });
    const pairs = await compareCheckouts(chosen, resolve(against), Number(rounds), answersOf);
    console.log(againstReport(pairs, against));
    return;
  }
  if (write && (quick || only !== undefined))
    program.error('--write needs all questions and all rounds; leave out --only and --quick', {
      exitCode: 2,
    });
  if (!checkUnits) await installPeers({ compile: !quick });
  const rows = [];
  const disturbed = [];
  for (const question of chosen) {
    if (process.stderr.isTTY) console.error(`${question.topic}/${question.name} ...`);
    if (quick) {
      // One round judges nothing.
      for (const row of await ask(question)) rows.push({ ...row, target: null });
      continue;
    }
    await waitForQuiet();
    const { result, load, isDisturbed } = await withLoad(() => ask(question));
    if (isDisturbed) disturbed.push(`${question.name} (${load.toFixed(1)} cores)`);
    rows.push(...result);
  }
  const seconds = performance.now() / 1000;
  const circumstances = conditions(installedPeers());
  console.log(terminalReport(rows, quick ? undefined : disturbed, seconds, circumstances));
  if (!write) return;
  const text = markdownReport(rows, disturbed, seconds, circumstances);
  writeFileSync(results, await format(text, { ...(await resolveConfig(results)), filepath: results }));
  writeFileSync(join(here, 'samples.json'), samplesReport(rows, disturbed, seconds, circumstances));
  // The README, docs/performance.md and the chart say the same.
  await import('../scripts/documents/write.mjs');
}

await main();
