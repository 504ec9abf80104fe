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
//   merge <file...>    enters what an evidence.json of elsewhere has: of a share (MUTATION_SHARE=1/4), or
//                      of another machine; of what both have seen, the later one stays
//
// A run that is ended by Ctrl-C keeps what it has seen until then. Several may run at once: each enters what
// it saw when it ends, into what the file has then.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { conditions } from '../../benchmarks/conditions.mjs';
import { keyOfMutant, merged, mutants, weakenings } from './lists.mjs';
import { mergeEvidence, runNamed, withoutUnused } from './merge.mjs';
import { textOf } from './text.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const native = join(root, 'test', 'native');
const path = join(root, 'test', 'evidence', 'evidence.json');
const folder = mkdtempSync(join(tmpdir(), 'atomic-log-evidence-'));
const report = join(folder, 'report');

/** Each has a table of faults. */
const LOGS = ['wal', 'segment'];

const EMPTY = { runs: {}, crashes: [], kills: [], mutants: [], model: [] };
const stored = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** What is known, with the lists as they are now. */
function known() {
  const evidence = existsSync(path) ? stored(path) : EMPTY;
  return {
    ...evidence,
    mutants: merged(mutants, evidence.mutants, keyOfMutant),
    model: merged(weakenings, evidence.model),
  };
}

/** The commit; what runs before this one have written is no change of what is tried. */
function commit(named) {
  const { stdout } = spawnSync('git', ['status', '--porcelain', '--untracked-files=no'], {
    cwd: root,
    encoding: 'utf8',
  });
  const isOwn = (line) => /(test|docs)\/evidence(\/evidence\.json|\.md)$/.test(line);
  return stdout.split('\n').filter(Boolean).every(isOwn) ? named.replace(', changed', '') : named;
}

/** Where and with what this run is made. */
function ofThisRun() {
  const { 'disk of the durable rows': disk, ...rest } = Object.fromEntries(conditions());
  const { stdout } = spawnSync(process.env.CXX ?? 'g++', ['--version'], { encoding: 'utf8' });
  return { ...rest, commit: commit(rest.commit), disk, compiler: stdout.split('\n')[0] };
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

/** Enters the verdicts of the report. */
function enter(list, keyOf, run) {
  const seen = new Map(lines().map((line) => [keyOf(line), line.seen]));
  for (const entry of list) {
    if (seen.has(keyOf(entry))) Object.assign(entry, { seen: seen.get(keyOf(entry)) ?? null, run });
  }
}

/** Each resolves to whether it went well, and to what it enters, if anything. */
const parts = {
  names: () => ({ isGood: true }),
  async faults() {
    const made = await runs('make', ['-s', '-C', native, 'build/unit/unit_tests']);
    const env = { FAULT_MATRIX: report };
    const program = join(native, 'build', 'unit', 'unit_tests');
    const isGood = made && (await runs(program, ['--test-case=every operation with every*'], { env }));
    if (!isGood) return { isGood };
    const found = LOGS.map((log) => ({ log, ...stored(`${report}.${log}`) }));
    const disks = found.reduce((sum, each) => sum + each.disks, 0);
    const cases = found.flatMap(({ log, cases: own }) => own.map((one) => ({ log, ...one })));
    return { isGood, enters: (evidence, run) => (evidence.faults = { run, disks, cases }) };
  },
  async mutants(...args) {
    const isGood = await runs('node', [join(native, 'durable', 'mutate.mjs'), ...args], {
      env: { MUTATIONS_SEEN: report },
    });
    return { isGood, enters: (evidence, run) => enter(evidence.mutants, keyOfMutant, run) };
  },
  async model(pattern = 'all') {
    const args = ['-s', '-C', join(native, 'model'), 'some', `MUTATIONS=${pattern}`];
    const isGood = await runs('make', args, { env: { MUTATIONS_SEEN: report } });
    return { isGood, enters: (evidence, run) => enter(evidence.model, ({ name }) => name, run) };
  },
  async crashes(states = '1000000') {
    const done = known().crashes.reduce((sum, { rounds }) => sum + rounds, 0);
    const args = [join(native, 'durable', 'crash-long.mjs'), `--states=${states}`, `--seed=${done + 1}`];
    const isGood = await runs('node', args, { env: { CRASHES_SEEN: report } });
    if (!isGood) return { isGood };
    return { isGood, enters: (evidence, run) => evidence.crashes.push({ run, ...lines()[0] }) };
  },
  kills(seconds = '60') {
    const args = ['dist/cli/main.js', 'torture', join(folder, 'disk'), '--seconds', seconds, '--json'];
    const { stdout, status } = spawnSync('node', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { isSound, ...seen } = JSON.parse(stdout);
    delete seen.path;
    if (status !== 0 || !isSound) throw new Error(stdout);
    return { isGood: true, enters: (evidence, run) => evidence.kills.push({ run, ...seen }) };
  },
  merge(...files) {
    const others = files.map(stored);
    return { isGood: true, merges: (evidence) => others.forEach((other) => mergeEvidence(evidence, other)) };
  },
};

const [what, ...args] = process.argv.slice(2);
if (!Object.hasOwn(parts, what ?? '')) {
  console.error(`npm run evidence -- ${Object.keys(parts).join(' | ')}`);
  process.exit(2);
}
try {
  const { isGood, enters, merges } = await parts[what](...args);
  const evidence = known();
  if (enters !== undefined) enters(evidence, runNamed(evidence, ofThisRun()));
  merges?.(evidence);
  writeFileSync(path, textOf(withoutUnused(evidence)));
  process.exitCode = isGood ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
await import('../documents/write.mjs');
