// Tries the promises, and keeps what was seen in test/evidence/evidence.json, from which docs/evidence.md
// is written: `npm run evidence -- <what> [arguments]`.
//
//   names              enters what is new in the lists, and drops what is gone; runs nothing
//   faults             every operation of the file system with every error: seconds
//   mutants [log] [pattern]
//                      leaves protections out, one at a time: an hour for all of them
//   model [pattern]    weakens memory orders and steps: half an hour for all of them
//   crashes [states]   opens so many simulated disks after a loss of power (a million)
//   kills [seconds]    kills processes that append, on the disk of the temporary folder (a minute)
//
// A run that is ended by Ctrl-C keeps what it has seen until then.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { conditions } from '../../benchmarks/conditions.mjs';
import { keyOfMutant, merged, mutants, weakenings } from './lists.mjs';
import { textOf } from './text.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const native = join(root, 'test', 'native');
const path = join(root, 'test', 'evidence', 'evidence.json');
const folder = mkdtempSync(join(tmpdir(), 'atomic-log-evidence-'));
const report = join(folder, 'report');

const EMPTY = { runs: {}, crashes: [], kills: [], mutants: [], model: [] };
const evidence = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : EMPTY;

/** The commit; what runs before this one have written is no change of what is tried. */
function commit(named) {
  const { stdout } = spawnSync('git', ['status', '--porcelain', '--untracked-files=no'], {
    cwd: root,
    encoding: 'utf8',
  });
  const isOwn = (line) => /(test|docs)\/evidence(\/evidence\.json|\.md)$/.test(line);
  return stdout.split('\n').filter(Boolean).every(isOwn) ? named.replace(', changed', '') : named;
}

/** Of this run: where and with what. */
function entered() {
  const { 'disk of the durable rows': disk, ...rest } = Object.fromEntries(conditions());
  const { stdout } = spawnSync(process.env.CXX ?? 'g++', ['--version'], { encoding: 'utf8' });
  const run = { ...rest, commit: commit(rest.commit), disk, compiler: stdout.split('\n')[0] };
  const found = Object.entries(evidence.runs).find(([, old]) => JSON.stringify(old) === JSON.stringify(run));
  if (found !== undefined) return found[0];
  const last = Math.max(0, ...Object.keys(evidence.runs).map((name) => Number(name.slice(1))));
  evidence.runs[`r${last + 1}`] = run;
  return `r${last + 1}`;
}

/** Runs a program that writes to the report; whether it went well. */
async function runs(command, args, options = {}) {
  const child = spawn(command, args, {
    stdio: 'inherit',
    ...options,
    env: { ...process.env, ...options.env },
  });
  // The child has it too.
  process.on('SIGINT', () => {});
  const [status] = await once(child, 'close');
  return status === 0;
}

/** The lines of the report, each an object. */
const lines = () =>
  (existsSync(report) ? readFileSync(report, 'utf8') : '')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

function enter(list, keyOf, run) {
  const seen = new Map(lines().map((line) => [keyOf(line), line.seen]));
  for (const entry of list) {
    if (seen.has(keyOf(entry))) Object.assign(entry, { seen: seen.get(keyOf(entry)) ?? null, run });
  }
}

const byName = ({ name }) => name;

const parts = {
  names: () => true,
  async faults() {
    const made = await runs('make', ['-s', '-C', native, 'build/unit/unit_tests']);
    const env = { FAULT_MATRIX: report };
    const program = join(native, 'build', 'unit', 'unit_tests');
    if (!made || !(await runs(program, ['--test-case=every operation with every*'], { env }))) return false;
    evidence.faults = { run: entered(), ...JSON.parse(readFileSync(report, 'utf8')) };
    return true;
  },
  async mutants(...args) {
    const isGood = await runs('node', [join(native, 'durable', 'mutate.mjs'), ...args], {
      env: { MUTATIONS_SEEN: report },
    });
    enter(evidence.mutants, keyOfMutant, entered());
    return isGood;
  },
  async model(pattern = '') {
    const args = [
      '-s',
      '-C',
      join(native, 'model'),
      pattern === '' ? 'full' : 'some',
      `MUTATIONS=${pattern}`,
    ];
    const isGood = await runs('make', args, { env: { MUTATIONS_SEEN: report } });
    enter(evidence.model, byName, entered());
    return isGood;
  },
  async crashes(states = '1000000') {
    const done = evidence.crashes.reduce((sum, { rounds }) => sum + rounds, 0);
    const args = [join(native, 'durable', 'crash-long.mjs'), `--states=${states}`, `--seed=${done + 1}`];
    if (!(await runs('node', args, { env: { CRASHES_SEEN: report } }))) return false;
    evidence.crashes.push({ run: entered(), ...lines()[0] });
    return true;
  },
  async kills(seconds = '60') {
    const args = ['dist/cli/main.js', 'torture', join(folder, 'disk'), '--seconds', seconds, '--json'];
    const { stdout, status } = spawnSync('node', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { isSound, ...seen } = JSON.parse(stdout);
    delete seen.path;
    if (status !== 0 || !isSound) throw new Error(stdout);
    evidence.kills.push({ run: entered(), ...seen });
    return true;
  },
};

const [what, ...args] = process.argv.slice(2);
if (!Object.hasOwn(parts, what ?? '')) {
  console.error(`npm run evidence -- ${Object.keys(parts).join(' | ')}`);
  process.exit(2);
}
evidence.mutants = merged(mutants, evidence.mutants, keyOfMutant);
evidence.model = merged(weakenings, evidence.model);
try {
  process.exitCode = (await parts[what](...args)) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const used = new Set(
  [evidence.faults, ...evidence.mutants, ...evidence.model, ...evidence.crashes, ...evidence.kills].map(
    (one) => one?.run,
  ),
);
for (const name of Object.keys(evidence.runs)) if (!used.has(name)) delete evidence.runs[name];
writeFileSync(path, textOf(evidence));
await import('../documents/write.mjs');
