// Takes one protection of the segment files out at a time, and expects a test to
// fail: `node mutate.mjs [text in the name]`. Needs g++ and doctest.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { mutations } from './mutations.mjs';

const native = dirname(dirname(fileURLToPath(import.meta.url)));
const core = join(native, '..', '..', 'src-native', 'core');
const build = join(native, 'build', 'mutated');
const folders = ['base', 'durable', 'platform'];
const flags = ['-std=c++20', '-O1', '-pthread', `-I${build}`, `-I${native}`];

const compiler = process.env.CXX ?? 'g++';
const sources = (root) =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.cc'))
      .map((name) => join(root, folder, name)),
  );

function run(command, args) {
  const env = { ...process.env, CRASH_SCRIPTS: '60' };
  return spawnSync(command, args, { cwd: build, env, encoding: 'utf8', timeout: 300_000 });
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
const tests = [
  ...readdirSync(join(native, 'durable'))
    .filter((name) => name.endsWith('_test.cc'))
    .map((name) => join(native, 'durable', name)),
  join(native, 'support', 'simulated_file_system.cc'),
  join(native, 'unit_main.cc'),
];
const files = [...sources(join(build, 'core')), ...tests];
for (const file of files) compile(file, objectOf(file));

/** Whether all tests pass, with other objects for some sources. */
function passes(replaced = new Map()) {
  const objects = files.map((file) => replaced.get(file) ?? objectOf(file));
  const program = join(build, 'tests');
  const { status, stderr } = run(compiler, [...objects, '-pthread', '-o', program]);
  if (status !== 0) throw new Error(stderr);
  const result = run(program, []);
  if (result.status === 0) return undefined;
  const before = result.stdout.slice(0, result.stdout.indexOf('ERROR: '));
  return [...before.matchAll(/^TEST CASE: +(.*)$/gm)].at(-1)?.[1] ?? 'crash';
}

const broken = passes();
if (broken !== undefined) throw new Error(`the tests fail without any mutation: ${broken}`);

let missed = 0;
for (const { name, promise, edits } of mutations.filter(({ name }) => name.includes(process.argv[2] ?? ''))) {
  const originals = new Map();
  for (const { file, from, to } of edits) {
    const path = join(build, 'core', file);
    const text = readFileSync(path, 'utf8');
    if (!originals.has(path)) originals.set(path, text);
    if (text.split(from).length !== 2) throw new Error(`${name}: ${file} has not once: ${from}`);
    writeFileSync(path, text.replace(from, to));
  }
  const isHeader = edits.some(({ file }) => file.endsWith('.h'));
  const replaced = new Map();
  for (const file of isHeader ? files : originals.keys()) {
    replaced.set(file, compile(file, join(build, 'objects', `mutated_${replaced.size}.o`)));
  }
  const seen = passes(replaced);
  for (const [path, text] of originals) writeFileSync(path, text);
  if (seen === undefined) ++missed;
  console.log(`${seen === undefined ? '! ' : '  '}${promise.padEnd(4)} ${name.padEnd(58)} ${seen ?? 'NOT CAUGHT'}`);
}
console.log(`${missed} not caught`);
process.exitCode = missed === 0 ? 0 : 1;
