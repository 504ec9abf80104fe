// What does the package cost a program before it does anything: time to load, time until the
// command line answers, bytes of the binary, memory of small segments?
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AtomicLog } from '../../dist/index.mjs';
import { figure, isQuick, median, report, root, roundsOf } from '../measure.mjs';

const ROUNDS = 9;
const SEGMENTS = isQuick ? 20_000 : 200_000;

/** Nanoseconds that a new process says that a script takes, with all its files in the system's memory. */
function timeOf(script) {
  const text = `const begin = performance.now();
    ${script}
    process.stdout.write(String(performance.now() - begin));`;
  return Number(execFileSync(process.execPath, ['-e', text], { encoding: 'utf8' })) * 1e6;
}

/** Loading the package, and what it cannot do without. */
function loadingTimes() {
  const folder = mkdtempSync(join(tmpdir(), 'atomic-log-bench-'));
  try {
    const empty = join(folder, 'empty.js');
    writeFileSync(empty, '');
    const bundle = join(root, 'dist', 'memory', 'bundle.js');
    const ways = {
      loading: `require(${JSON.stringify(join(root, 'dist', 'index.js'))});`,
      empty: `require(${JSON.stringify(empty)});`,
      'empty and compiled': `require(${JSON.stringify(empty)});
        new (require('node:vm').Script)(require('node:fs').readFileSync(${JSON.stringify(bundle)}, 'utf8'));`,
    };
    const samples = Array.from({ length: roundsOf(ROUNDS) }, () =>
      Object.fromEntries(Object.entries(ways).map(([name, script]) => [name, timeOf(script)])),
    );
    return (name) => samples.map((sample) => sample[name]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nanoseconds of whole processes, in turn: a bare one, the command line, and that with the library loaded first. */
function commandLineTimes() {
  const main = join(root, 'dist', 'cli', 'main.js');
  const ways = {
    bare: ['-e', '0'],
    lazy: [main, '--version'],
    eager: ['--require', join(root, 'dist', 'index.js'), main, '--version'],
  };
  const wholeTimeOf = (parameters) => {
    const begin = performance.now();
    execFileSync(process.execPath, parameters);
    return (performance.now() - begin) * 1e6;
  };
  return Array.from({ length: roundsOf(ROUNDS) }, () =>
    Object.fromEntries(Object.entries(ways).map(([name, parameters]) => [name, wholeTimeOf(parameters)])),
  );
}

/** Megabytes of the binary as it is published: without symbols, where this machine can take them off. */
function megabytesOfBinary() {
  const binary = join(root, 'build', 'Release', 'atomic_log.node');
  const folder = mkdtempSync(join(tmpdir(), 'atomic-log-bench-'));
  const stripped = join(folder, 'stripped.node');
  try {
    execFileSync('strip', ['-o', stripped, binary], { stdio: 'ignore' });
    return statSync(stripped).size / 1e6;
  } catch {
    return statSync(binary).size / 1e6;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resident memory of segments of one entry, and what stats() says of them. */
function segmentsMemory() {
  const before = process.memoryUsage.rss();
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: SEGMENTS, segmentCapacity: 1 });
  for (let i = 0; i < SEGMENTS; ++i) writer.append(i);
  const ratio = (process.memoryUsage.rss() - before) / log.stats().bytes;
  log.close();
  return { ratio, low: ratio, high: ratio };
}

const timesOf = loadingTimes();
const loading = timesOf('loading');
const milliseconds = (ns) => `${(ns / 1e6).toFixed(1)} ms`;
const empty = median(timesOf('empty'));
const compiling = median(timesOf('empty and compiled')) - empty;
const commands = commandLineTimes();
const answering = commands.map(({ bare, lazy }) => lazy - bare);
const megabytes = megabytesOfBinary();
report([
  {
    operation: "require('atomic-log') in a new process",
    ...figure(
      loading,
      loading.map((ns) => ns / 1e6),
      'ms',
    ),
    target: 10,
    reason:
      `loading an empty file takes ${milliseconds(empty)} of it, and reading and compiling the library, once and without running it, ` +
      `${milliseconds(compiling)}; the rest runs its modules and loads the binary (without a name longer than a letter compiling takes a seventh less)`,
  },
  {
    operation: 'atomic-log --version, beyond the start of the runtime',
    ...figure(
      answering,
      commands.map(({ bare, lazy, eager }) => (lazy - bare) / (eager - bare)),
      'with the library loaded first',
    ),
    target: null,
  },
  {
    operation: 'the binary, without symbols',
    ...{ ratio: megabytes, low: megabytes, high: megabytes, unit: 'MB', target: 1.5 },
  },
  {
    operation: `resident memory of ${SEGMENTS.toLocaleString('en')} segments of one entry`,
    ...segmentsMemory(),
    ...{ unit: 'stats().bytes', target: 2 },
    reason:
      'a block of one entry has 128 bytes; the writer maps each once, and keeps the mapping for when the block is used again: ' +
      "an ArrayBuffer and its typed arrays are 626 bytes of the engine's heap, and what the runtime allocates for them about 520",
  },
]);
