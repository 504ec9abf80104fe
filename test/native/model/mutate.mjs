// Checks the core as it is, then mutations of it, and prints a table.
//
//   node mutate.mjs [--unchanged runs] [--mutations none|quick|all|<text>]
//                   [--runs runs] [--jobs n]
//
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

import { instrument, ordersWithoutMutation } from './instrument.mjs';
import { mutations } from './mutations.mjs';

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

async function build(folder, mutation) {
  instrument(join(here, folder), mutation);
  const program = join(folder, 'model');
  const { status, stderr } = await run(process.env.CXX ?? 'g++', [
    ...process.env.MODEL_CXXFLAGS.split(' '),
    ...['-Ibuild', `-I${folder}`, '-Istubs', '-I.', '-include', 'checked.h'],
    ...['unity.cc', 'build/main.o', '-o', program],
  ]);
  if (status !== 0) throw new Error(`does not compile: ${mutation?.name ?? 'the core'}\n${stderr}`);
  return program;
}

const VERDICT = /^(\S+) +(\d+) runs +[\d.]+ s {2}(.*)$/gm;

/** What broke, in which scenario and run; undefined when nothing did. */
async function hunt(program, scenarios) {
  const { status, stdout, stderr } = await run(program, ['--runs', options.runs, ...scenarios]);
  if (status === 0) return undefined;
  const last = [...stdout.matchAll(VERDICT)].at(-1);
  if (status !== 1 || last === undefined) throw new Error(`${program}: ${status}\n${stderr}`);
  return `${last[3]} (${last[1]}, run ${last[2]})`;
}

const seconds = (start) => ((performance.now() - start) / 1000).toFixed(1);

/** Resolves to whether the mutation did what is expected of it. */
async function examine({ name, seenBy, expected = 'caught', ...rest }, folder) {
  const start = performance.now();
  const program = await build(folder, { name, ...rest });
  let found;
  for (const scenario of seenBy) found ??= await hunt(program, [scenario]);
  found ??= await hunt(program, []);
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

if (Number(options.unchanged) > 0) {
  const start = performance.now();
  const program = await build('build/unchanged');
  const { status } = spawnSync(program, ['--runs', options.unchanged], { cwd: here, stdio: 'inherit' });
  console.log(`the core as it is: ${status === 0 ? 'good' : 'BROKEN'}, ${seconds(start)} s with the build\n`);
  if (status !== 0) process.exit(1);
}

const wanted = mutations.filter(({ name, expected = 'caught' }) => {
  if (options.mutations === 'none') return false;
  if (options.mutations === 'quick') return expected === 'caught';
  return options.mutations === 'all' || name.includes(options.mutations);
});
if (wanted.length > 0) {
  const start = performance.now();
  let failures = 0;
  const queue = wanted.values();
  const worker = async (folder) => {
    for (const mutation of queue) if (!(await examine(mutation, folder))) ++failures;
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, (_, i) => worker(`build/mutated-${i}`)));
  console.log(`${wanted.length} mutations, ${failures} not as expected, ${seconds(start)} s`);
  process.exitCode = failures === 0 ? 0 : 1;
}
