// Takes one protection of the durable logs out at a time, and expects a test to
// fail: `node mutate.mjs [segment | wal] [pattern of the name]`. Needs g++ and doctest.
// MUTATION_SHARE=2/3 takes the second of every three. MUTATIONS_SEEN names a file that each verdict is added to.
// MUTATION_JOBS: mutants that are compiled and tested at once; by default as many as there are cores.
//
// What no mutation changes are the objects of the unit tests, which make compiles where they are
// missing or old. A mutant is a folder with the files that are edited, before the core in the
// compiler's search path.
import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { mutations as ofSegments } from './segment/segment_mutations.mjs';
import { mutations as ofWals } from './wal/wal_mutations.mjs';

const native = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(native, '..', '..', 'src-native');
const core = join(source, 'core');
const compiler = process.env.CXX ?? 'g++';
// Those of the unit tests in the Makefile, but for what finds mistakes and names lines.
const flags = ['-std=c++20', '-O1', '-pthread', '-DATOMIC_LOG_FAULTS', '-DATOMIC_LOG_CHECKS'];
const search = [`-I${source}`, `-I${native}`];
const unit = join(native, 'build', 'unit');
const build = join(native, 'build', 'mutated');
const mutants = join(build, 'mutants');
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
const jobs = Number(process.env.MUTATION_JOBS ?? availableParallelism());

/** Does the work for each, as many at once as there are jobs. What one throws ends all. */
async function forEach(items, work) {
  const left = [...items];
  const worker = async () => {
    while (left.length > 0) await work(left.shift());
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

function run(command, args, cwd = build) {
  const env = { ...process.env, CRASH_SCRIPTS: '60' };
  const options = { cwd, env, encoding: 'utf8', timeout: RUN_MS_MAX, maxBuffer: 2 ** 30 };
  return new Promise((resolved) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      // A status that is no number says that it could not be started, or has written too much.
      resolved({ passed: error === null, signal: error?.signal ?? error?.code, stdout, stderr });
    });
  });
}

async function compile(file, object, overlay) {
  const { passed, stderr } = await run(compiler, [...flags, ...overlay, ...search, '-c', file, '-o', object]);
  if (!passed) throw new Error(`${file} does not compile\n${stderr}`);
  return object;
}

/** Where make puts what it compiles for the unit tests. */
function objectOf(file) {
  const [folder, path] = file.startsWith(core) ? ['core', relative(core, file)] : ['test', relative(native, file)];
  return join(unit, folder, path.replace(/\.cc$/, '.o'));
}

/** Has make compile what is missing or old. */
async function makeObjects() {
  // Not as a part of the make that may have started this: that one's processors are its own.
  const options = { cwd: native, env: { ...process.env, MAKEFLAGS: '' }, maxBuffer: 2 ** 30 };
  await promisify(execFile)('make', ['-s', 'unit-objects'], options);
}

/** The files that an object was made of. */
function madeOf(object) {
  const rule = readFileSync(object.replace(/\.o$/, '.d'), 'utf8');
  return rule
    .slice(rule.indexOf(':') + 1)
    .replaceAll('\\\n', ' ')
    .split('\n')[0]
    .split(/\s+/)
    .filter(Boolean)
    .map((path) => resolve(native, path));
}

/** The test that fails first, among these; undefined when all pass. */
async function failing(program, chosen, cwd) {
  const { passed, signal, stdout } = await run(program, ['--abort-after=1', `${chosen}=${LONG_TESTS}`], cwd);
  if (passed) return undefined;
  const before = stdout.slice(0, stdout.indexOf('ERROR: '));
  return [...before.matchAll(/^TEST CASE: +(.*)$/gm)].at(-1)?.[1] ?? `ended by ${signal}`;
}
// Most faults are found without what takes long.
const QUICK = '--test-case-exclude';
const LONG = '--test-case';

async function link(objects, program) {
  const { passed, stderr } = await run(compiler, [...objects, '-pthread', '-o', program]);
  if (!passed) throw new Error(stderr);
  return program;
}

/** Writes the edited files; returns their paths below core/. */
function edit({ name, edits }, folder) {
  const texts = new Map();
  for (const { file, from, to } of edits) {
    const text = texts.get(file) ?? readFileSync(join(core, file), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${name}: ${file} has not once: ${from}`);
    texts.set(
      file,
      text.replace(from, () => to),
    );
  }
  for (const [file, text] of texts) {
    mkdirSync(dirname(join(folder, 'core', file)), { recursive: true });
    writeFileSync(join(folder, 'core', file), text);
  }
  return [...texts.keys()];
}

/** The test that notices the mutation; undefined when none does. */
async function noticed(mutation, number, suite) {
  const folder = join(mutants, `${suite.log}-${number}`);
  const edited = edit(mutation, folder);
  const originals = edited.map((file) => join(core, file));
  const objects = [];
  for (const file of suite.files) {
    const object = objectOf(file);
    const isTouched = madeOf(object).some((path) => originals.includes(path));
    const own = edited.find((name) => join(core, name) === file);
    const text = own === undefined ? file : join(folder, 'core', own);
    const mutated = join(folder, `${objects.length}.o`);
    objects.push(isTouched ? await compile(text, mutated, [`-I${folder}`]) : object);
  }
  const program = await link(objects, join(folder, 'tests'));
  let seen = await failing(program, QUICK, folder);
  if (seen === undefined) {
    await suite.longTestsPass();
    seen = await failing(program, LONG, folder);
  }
  rmSync(folder, { recursive: true });
  return seen;
}

rmSync(mutants, { recursive: true, force: true });
mkdirSync(mutants, { recursive: true });

const sources = ['base', 'durable', 'platform'].flatMap((folder) =>
  readdirSync(join(core, folder), { recursive: true })
    .filter((name) => name.endsWith('.cc'))
    .map((name) => join(core, folder, name)),
);
const support = ['faults.cc', 'segment_script.cc', 'simulated_file_system.cc', 'wal_fixture.cc'].map((name) =>
  join(native, 'support', name),
);
const common = [...sources, ...support, join(native, 'unit_main.cc')];

await makeObjects();
let missed = 0;
for (const suite of suites.filter((each) => log === undefined || each.log === log)) {
  const folder = join(native, 'durable', suite.log);
  const tests = readdirSync(folder)
    .filter((name) => name.endsWith('_test.cc'))
    .map((name) => join(folder, name));
  suite.files = [...common, ...tests];
  // A test that fails anyway would notice every mutation.
  const program = await link(suite.files.map(objectOf), join(build, suite.log));
  const pass = async (chosen) => {
    const broken = await failing(program, chosen);
    if (broken !== undefined) throw new Error(`the tests fail without any mutation: ${broken}`);
  };
  let long;
  suite.longTestsPass = () => (long ??= pass(LONG));
  await pass(QUICK);

  const chosen = suite.mutations
    .filter(({ name }) => new RegExp(pattern).test(name))
    .filter((_, i) => i % shares === share - 1);
  await forEach(chosen.entries(), async ([number, mutation]) => {
    const { name, promise } = mutation;
    const seen = await noticed(mutation, number, suite);
    if (seen === undefined) ++missed;
    if (process.env.MUTATIONS_SEEN) {
      appendFileSync(process.env.MUTATIONS_SEEN, `${JSON.stringify({ log: suite.log, name, seen })}\n`);
    }
    console.log(
      `${seen === undefined ? '! ' : '  '}${promise.padEnd(4)} ${name.padEnd(58)} ${seen ?? 'NOT CAUGHT'}`,
    );
  });
}
console.log(`${missed} not caught`);
process.exitCode = missed === 0 ? 0 : 1;
