// Checks the core as it is and mutations of it, and prints a table: of the log of
// threads and of the log that processes share, each one program with all of its
// mutations in it.
//
//   node mutate.mjs [--unchanged runs] [--mutations none|quick|all|<text>]
//                   [--runs runs] [--jobs n]
//
// The log of processes is run less often (instrument.mjs: share). quick are those
// that are expected to be caught; any other text takes those with that text in
// their name. Fails when the core as it is breaks a property,
// when a mutation that is expected to be caught is not, and when one that is
// not expected to be is. MUTATIONS_SEEN names a file that each verdict is added to.
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { MODELS, instrument, ordersWithoutMutation } from './instrument.mjs';

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

/** Resolves to the path of the program. */
async function build({ unit, ...model }, folder) {
  instrument(join(here, folder), model);
  const program = join(folder, 'model');
  const { status, stderr } = await run(process.env.CXX ?? 'g++', [
    ...process.env.MODEL_CXXFLAGS.split(' '),
    ...['-Ibuild', `-I${folder}`, '-Istubs', '-I.', '-include', 'checked.h'],
    ...[unit, 'build/main.o', '-o', program],
  ]);
  if (status !== 0) throw new Error(`${folder} does not compile\n${stderr}`);
  return program;
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
async function examine(program, share, { name, number, seenBy, times = 1, expected }) {
  const start = performance.now();
  const runs = share * times;
  const args = ['--mutation', String(number)];
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

/** Resolves to whether the core as it is keeps every property. */
async function checkUnchanged(name, program, runs) {
  const start = performance.now();
  const { status, stdout } = await run(program, ['--runs', String(runs)]);
  const verdict = status === 0 ? 'good' : 'BROKEN';
  console.log(`${stdout}the log of ${name} as it is: ${verdict}, ${seconds(start)} s\n`);
  return status === 0;
}

/** Resolves to how many of the tasks said no. */
async function failuresOf(tasks) {
  let failures = 0;
  const queue = tasks.values();
  const worker = async () => {
    for (const task of queue) if (!(await task())) ++failures;
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, worker));
  return failures;
}

const isWanted = ({ name, expected }) => {
  if (options.mutations === 'none') return false;
  if (options.mutations === 'quick') return expected === 'caught';
  return options.mutations === 'all' || name.includes(options.mutations);
};

const missing = ordersWithoutMutation();
if (missing.length > 0) throw new Error(`no mutation weakens the order at ${missing.join(', ')}`);

const start = performance.now();
const programs = {};
await failuresOf(
  Object.entries(MODELS).map(([name, model]) => async () => {
    programs[name] = await build(model, `build/${name}`);
    return true;
  }),
);
const checks = Object.entries(MODELS).map(([name, { share }]) => {
  const runs = Math.ceil(Number(options.unchanged) / share.unchanged);
  return () => checkUnchanged(name, programs[name], runs);
});
const wanted = Object.entries(MODELS).flatMap(([name, { mutations, share }]) => {
  const runs = Math.ceil(Number(options.runs) / share.mutated);
  return mutations
    .map((mutation, i) => ({ expected: 'caught', ...mutation, number: i + 1 }))
    .filter(isWanted)
    .map((mutation) => () => examine(programs[name], runs, mutation));
});
const failures = await failuresOf([...(Number(options.unchanged) > 0 ? checks : []), ...wanted]);
console.log(`${wanted.length} mutations; ${failures} not as expected, ${seconds(start)} s`);
process.exitCode = failures === 0 ? 0 : 1;
