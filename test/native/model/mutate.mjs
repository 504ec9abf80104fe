// Checks the core as it is, then each mutation of it, and prints a table.
//
//   node mutate.mjs [--unchanged runs] [--mutations none|quick|all|<text>]
//                   [--runs runs]
//
// --mutations with any other text takes those with that text in their name.
// Fails when the core as it is breaks a property, when a mutation that is
// expected to be caught is not, and when one that is not expected to be is.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { instrument } from './instrument.mjs';
import { mutations } from './mutations.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    unchanged: { type: 'string', default: '200000' },
    mutations: { type: 'string', default: 'all' },
    runs: { type: 'string', default: '1000000' },
  },
});

function run(command, args, stdio = 'pipe') {
  const result = spawnSync(command, args, { cwd: here, encoding: 'utf8', stdio });
  if (result.error !== undefined) throw result.error;
  return result;
}

function build(folder, mutation) {
  instrument(join(here, folder), mutation);
  const program = join(folder, 'model');
  const { status, stderr } = run(process.env.CXX ?? 'g++', [
    ...process.env.MODEL_CXXFLAGS.split(' '),
    ...['-Ibuild', `-I${folder}`, '-Istubs', '-I.', '-include', 'checked.h'],
    ...['unity.cc', 'build/main.o', '-o', program],
  ]);
  if (status !== 0) throw new Error(`does not compile${mutation ? `: ${mutation.name}` : ''}\n${stderr}`);
  return program;
}

const VERDICT = /^(\S+) +(\d+) runs +([\d.]+) s {2}(.*)$/gm;

/** What was caught, by which scenario and in which run; undefined when nothing was. */
function hunt(program, scenarios, runs) {
  const { status, stdout, stderr, signal } = run(program, ['--runs', runs, ...scenarios]);
  if (status === 0) return undefined;
  const last = [...stdout.matchAll(VERDICT)].at(-1);
  if (status !== 1 || last === undefined) throw new Error(`${program}: ${signal ?? status}\n${stderr}`);
  return { scenario: last[1], after: Number(last[2]), what: last[4] };
}

const seconds = (start) => ((performance.now() - start) / 1000).toFixed(1);

if (Number(options.unchanged) > 0) {
  const start = performance.now();
  const program = build('build/unchanged');
  const { status } = run(program, ['--runs', options.unchanged], 'inherit');
  console.log(`core as it is: ${status === 0 ? 'good' : 'BROKEN'}, ${seconds(start)} s\n`);
  if (status !== 0) process.exit(1);
}

const wanted = mutations.filter((mutation) => {
  if (options.mutations === 'none') return false;
  if (options.mutations === 'quick') return mutation.isQuick ?? true;
  return options.mutations === 'all' || mutation.name.includes(options.mutations);
});

const begin = performance.now();
let failures = 0;
for (const mutation of wanted) {
  const { name, seenBy, expected = 'caught' } = mutation;
  const start = performance.now();
  const program = build('build/mutated', mutation);
  let found;
  for (const scenario of seenBy) found ??= hunt(program, [scenario], options.runs);
  found ??= hunt(program, [], expected === 'caught' ? options.runs : '200000');
  const isAsExpected = (found !== undefined) === (expected === 'caught');
  if (!isAsExpected) ++failures;
  const verdict =
    found === undefined ? expected.replace('caught', 'not caught') : `${found.what} (${found.scenario}, run ${found.after})`;
  console.log(
    `${isAsExpected ? '   ' : '!! '}${name.padEnd(58)} ${seconds(start).padStart(6)} s  ${verdict}`,
  );
}
if (wanted.length > 0) {
  console.log(`${wanted.length} mutations, ${failures} not as expected, ${seconds(begin)} s`);
}
process.exit(failures === 0 ? 0 : 1);
