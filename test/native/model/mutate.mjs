// Checks the core as it is, then mutations of it, and prints a table: of the log
// of threads, each mutation built by itself, and of the log that processes share,
// whose mutations are all in one program.
//
//   node mutate.mjs [--unchanged runs] [--mutations none|quick|all|<text>]
//                   [--runs runs] [--jobs n]
//
// The log of processes is run a twentieth as often, and its mutations a tenth.
// quick are those that are expected to be caught; any other text takes those
// with that text in their name. Fails when the core as it is breaks a property,
// when a mutation that is expected to be caught is not, and when one that is
// not expected to be is. MUTATIONS_SEEN names a file that each verdict is added to.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { instrument, instrumentShared, ordersWithoutMutation } from './instrument.mjs';
import { mutations } from './mutations.mjs';
import { sharedMutations } from './shared_mutations.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    unchanged: { type: 'string', default: '200000' },
    mutations: { type: 'string', default: 'all' },
    runs: { type: 'string', default: '200000' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});

/** Resolves to { status, stdout, stderr }. */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: here });
    const result = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => (result[name] += text));
    }
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status: status ?? signal, ...result }));
  });
}

async function compile(folder, unit) {
  const program = join(folder, 'model');
  const { status, stderr } = await run(process.env.CXX ?? 'g++', [
    ...process.env.MODEL_CXXFLAGS.split(' '),
    ...['-Ibuild', `-I${folder}`, '-Istubs', '-I.', '-include', 'checked.h'],
    ...[unit, 'build/main.o', '-o', program],
  ]);
  if (status !== 0) throw new Error(`${folder} does not compile\n${stderr}`);
  return program;
}

function build(folder, mutation) {
  instrument(join(here, folder), mutation);
  return compile(folder, 'unity.cc');
}

function buildShared(folder) {
  instrumentShared(join(here, folder));
  return compile(folder, 'shared_unity.cc');
}

const VERDICT = /^(\S+) +(\d+) runs +[\d.]+ s {2}(.*)$/gm;

/** What broke, in which scenario and run; undefined when nothing did. */
async function hunt(program, runs, args) {
  const { status, stdout, stderr } = await run(program, ['--runs', String(runs), ...args]);
  if (status === 0) return undefined;
  const last = [...stdout.matchAll(VERDICT)].at(-1);
  if (status !== 1 || last === undefined) throw new Error(`${program}: ${status}\n${stderr}`);
  return `${last[3]} (${last[1]}, run ${last[2]})`;
}

const seconds = (start) => ((performance.now() - start) / 1000).toFixed(1);

/** Resolves to whether the mutation did what is expected of it. */
async function examine({ name, seenBy, expected = 'caught' }, program, runs, args = []) {
  const start = performance.now();
  let found;
  for (const scenario of seenBy) found ??= await hunt(program, runs, [...args, scenario]);
  found ??= await hunt(program, runs, args);
  const isAsExpected = (found !== undefined) === (expected === 'caught');
  const verdict = found ?? (expected === 'caught' ? 'NOT CAUGHT' : expected);
  const mark = isAsExpected ? '  ' : '! ';
  if (process.env.MUTATIONS_SEEN) {
    appendFileSync(process.env.MUTATIONS_SEEN, `${JSON.stringify({ name, seen: found })}\n`);
  }
  console.log(`${mark}${name.padEnd(60)} ${seconds(start).padStart(6)} s  ${verdict}`);
  return isAsExpected;
}

const missing = ordersWithoutMutation();
if (missing.length > 0) throw new Error(`no mutation weakens the order at ${missing.join(', ')}`);

async function checkUnchanged(what, program, runs) {
  const start = performance.now();
  const { status } = spawnSync(await program, ['--runs', String(runs)], { cwd: here, stdio: 'inherit' });
  console.log(`${what} as it is: ${status === 0 ? 'good' : 'BROKEN'}, ${seconds(start)} s\n`);
  if (status !== 0) process.exit(1);
}

// Of the runs, because one takes longer.
const sharedRuns = (runs, share) => Math.ceil(Number(runs) / share);
const shared = await buildShared('build/shared');
if (Number(options.unchanged) > 0) {
  await checkUnchanged('the log of threads', build('build/unchanged'), options.unchanged);
  await checkUnchanged('the log of processes', shared, sharedRuns(options.unchanged, 20));
}

const isWanted = ({ name, expected = 'caught' }) => {
  if (options.mutations === 'none') return false;
  if (options.mutations === 'quick') return expected === 'caught';
  return options.mutations === 'all' || name.includes(options.mutations);
};
const wanted = [
  ...mutations.filter(isWanted).map((mutation) => async (folder) => {
    return examine(mutation, await build(folder, mutation), options.runs);
  }),
  ...sharedMutations.flatMap((mutation, i) => {
    const examined = () => examine(mutation, shared, sharedRuns(options.runs, 10), ['--mutation', String(i + 1)]);
    return isWanted(mutation) ? [examined] : [];
  }),
];
if (wanted.length > 0) {
  const start = performance.now();
  let failures = 0;
  const queue = wanted.values();
  const worker = async (folder) => {
    for (const isAsExpected of queue) if (!(await isAsExpected(folder))) ++failures;
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, (_, i) => worker(`build/mutated-${i}`)));
  console.log(`${wanted.length} mutations, ${failures} not as expected, ${seconds(start)} s`);
  process.exitCode = failures === 0 ? 0 : 1;
}
