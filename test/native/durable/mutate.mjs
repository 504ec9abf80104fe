// Takes one protection of the durable logs out at a time, and expects a test to
// fail: `node mutate.mjs [segment | wal] [pattern of the name]`. Needs g++ and doctest.
// MUTATION_SHARE=2/3 takes the second of every three. MUTATIONS_SEEN names a file that each verdict is added to.
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { mutations as ofSegments } from './segment/segment_mutations.mjs';
import { mutations as ofWals } from './wal/wal_mutations.mjs';

const native = dirname(dirname(fileURLToPath(import.meta.url)));
const core = join(native, '..', '..', 'src-native', 'core');
const build = join(native, 'build', 'mutated');
const folders = ['base', 'durable', 'platform'];
const flags = ['-std=c++20', '-O1', '-pthread', '-DATOMIC_LOG_FAULTS', '-DATOMIC_LOG_CHECKS', `-I${build}`, `-I${native}`];
/** A mutation may make a test run forever. */
const RUN_MS_MAX = 600_000;
const LONG_TESTS = '*crashed everywhere,so many states*,every *,the shortest scripts*';

const suites = [
  { log: 'segment', mutations: ofSegments },
  { log: 'wal', mutations: ofWals },
];
const [log, pattern = ''] = suites.some((suite) => suite.log === process.argv[2])
  ? process.argv.slice(2)
  : [undefined, process.argv[2]];

const [share, shares] = (process.env.MUTATION_SHARE ?? '1/1').split('/').map(Number);

const compiler = process.env.CXX ?? 'g++';
const sources = (root) =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith('.cc'))
      .map((name) => join(root, folder, name)),
  );

function run(command, args) {
  const env = { ...process.env, CRASH_SCRIPTS: '60' };
  return spawnSync(command, args, { cwd: build, env, encoding: 'utf8', timeout: RUN_MS_MAX, maxBuffer: Infinity });
}

function compile(source, object) {
  const { status, stderr } = run(compiler, [...flags, '-c', source, '-o', object]);
  if (status !== 0) throw new Error(`${source} does not compile\n${stderr}`);
  return object;
}

rmSync(build, { recursive: true, force: true });
mkdirSync(join(build, 'objects'), { recursive: true });
cpSync(core, join(build, 'core'), { recursive: true });

const objectOf = (source) => join(build, 'objects', `${source.replaceAll(/[^\w]/g, '_')}.o`);
const own = sources(join(build, 'core'));
const support = ['faults.cc', 'simulated_file_system.cc', 'wal_fixture.cc'].map((name) => join(native, 'support', name));
const common = [...own, ...support, join(native, 'unit_main.cc')];
for (const file of common) compile(file, objectOf(file));

/** The test that fails first, with other objects for some sources; undefined when all pass. */
function failing(files, replaced = new Map()) {
  const objects = files.map((file) => replaced.get(file) ?? objectOf(file));
  const program = join(build, 'tests');
  const { status, stderr } = run(compiler, [...objects, '-pthread', '-o', program]);
  if (status !== 0) throw new Error(stderr);
  // Most faults are found without what takes long.
  const quick = run(program, ['--abort-after=1', `--test-case-exclude=${LONG_TESTS}`]);
  const result = quick.status === 0 ? run(program, ['--abort-after=1']) : quick;
  if (result.status === 0) return undefined;
  const before = result.stdout.slice(0, result.stdout.indexOf('ERROR: '));
  return [...before.matchAll(/^TEST CASE: +(.*)$/gm)].at(-1)?.[1] ?? `ended by ${result.signal ?? result.error}`;
}

let missed = 0;
for (const suite of suites.filter((each) => log === undefined || each.log === log)) {
  const folder = join(native, 'durable', suite.log);
  const tests = readdirSync(folder)
    .filter((name) => name.endsWith('_test.cc'))
    .map((name) => join(folder, name));
  for (const file of tests) compile(file, objectOf(file));
  const files = [...common, ...tests];
  const broken = failing(files);
  if (broken !== undefined) throw new Error(`the tests fail without any mutation: ${broken}`);

  const chosen = suite.mutations
    .filter(({ name }) => new RegExp(pattern).test(name))
    .filter((_, i) => i % shares === share - 1);
  for (const { name, promise, edits } of chosen) {
    const originals = new Map();
    for (const { file, from, to } of edits) {
      const path = join(build, 'core', file);
      const original = readFileSync(path, 'utf8');
      if (!originals.has(path)) originals.set(path, original);
      if (original.split(from).length !== 2) throw new Error(`${name}: ${file} has not once: ${from}`);
      writeFileSync(
        path,
        original.replace(from, () => to),
      );
    }
    const isHeader = edits.some(({ file }) => file.endsWith('.h'));
    const replaced = new Map();
    for (const file of isHeader ? files : originals.keys()) {
      replaced.set(file, compile(file, join(build, 'objects', `mutated_${replaced.size}.o`)));
    }
    const seen = failing(files, replaced);
    for (const [path, original] of originals) writeFileSync(path, original);
    if (seen === undefined) ++missed;
    if (process.env.MUTATIONS_SEEN) {
      appendFileSync(process.env.MUTATIONS_SEEN, `${JSON.stringify({ log: suite.log, name, seen })}\n`);
    }
    console.log(
      `${seen === undefined ? '! ' : '  '}${promise.padEnd(4)} ${name.padEnd(58)} ${seen ?? 'NOT CAUGHT'}`,
    );
  }
}
console.log(`${missed} not caught`);
process.exitCode = missed === 0 ? 0 : 1;
