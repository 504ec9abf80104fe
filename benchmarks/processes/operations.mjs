// What does a log that processes share cost beside one of a process's threads? The same
// operations in child processes that take turns, each with logs of one kind only.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { figure, report, roundsOf } from '../measure.mjs';
import { canShareLogs, withMemoryDirectory } from './shared-place.mjs';

const ROUNDS = 9;
/** Times the thread log; what is not named is only reported. */
const TARGETS = {
  'append, each published': 1.3,
  'refresh(), nothing new': 1.1,
  'sum over chunks(), f64, per entry': 1.1,
};
const child = fileURLToPath(new URL('../memory/shared-operations.mjs', import.meta.url));

const sample = (...args) =>
  JSON.parse(execFileSync(process.execPath, [child, 'external', ...args], { encoding: 'utf8' }));

if (canShareLogs) {
  const rounds = [];
  for (let round = 0; round < roundsOf(ROUNDS); ++round) {
    const threads = sample();
    rounds.push({ threads, processes: await withMemoryDirectory(async (directory) => sample(directory)) });
  }
  report(
    Object.keys(rounds[0].processes).map((name) => ({
      operation: `shared by processes: ${name}`,
      ...figure(
        rounds.map(({ processes }) => processes[name]),
        rounds.map(({ processes, threads }) => processes[name] / threads[name]),
        'thread log',
      ),
      target: TARGETS[name] ?? null,
    })),
  );
}
