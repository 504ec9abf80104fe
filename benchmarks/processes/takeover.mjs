// How soon has a process that waits for the claim got it, when the writer is killed?
import { once } from 'node:events';
import { join } from 'node:path';
import { AtomicLog } from '../../dist/index.mjs';
import { figure, median, report, roundsOf } from '../measure.mjs';
import { canShareLogs, startProcess, withMemoryDirectory } from './shared-place.mjs';

const ROUNDS = 25;

/** From before the signal to the first entry of the next writer, and to the event of the child process: nanoseconds. */
async function takeOver(path) {
  const log = await AtomicLog.open(path, { retainedCapacity: 65_536, segmentCapacity: 4096 });
  const child = await startProcess('takeover-writer.mjs', [path]);
  let start = 0n;
  const now = () => Number(process.hrtime.bigint() - start);
  const exited = once(child, 'exit').then(now);
  const claimed = log.waitForWriter().then((writer) => {
    writer.append(1);
    const ns = now();
    writer.close();
    return ns;
  });
  // So that it waits, and the writer is in the middle of its work.
  await new Promise((resolve) => setTimeout(resolve, 20));
  start = process.hrtime.bigint();
  child.kill('SIGKILL');
  const times = { claimed: await claimed, exited: await exited };
  log.close();
  return times;
}

if (canShareLogs) {
  const samples = await withMemoryDirectory(async (directory) => {
    const times = [];
    for (let round = 0; round < roundsOf(ROUNDS); ++round) times.push(await takeOver(join(directory, 'log')));
    return times;
  });
  const claimed = samples.map((sample) => sample.claimed);
  const exited = samples.map((sample) => sample.exited);
  report([
    {
      operation: 'the writer is killed, until the first entry of one that waited in waitForWriter()',
      ...figure(claimed, claimed, 'ns'),
      target: 10_000_000,
      note: `at most ${(Math.max(...claimed) / 1e6).toFixed(1)} ms; its parent is told that it has exited after ${(median(exited) / 1e6).toFixed(1)} ms`,
    },
    {
      operation: 'the same, next to when its parent is told that it has exited',
      ...figure(
        claimed,
        claimed.map((ns, round) => ns / exited[round]),
        "'exit'",
      ),
      target: 1.2,
    },
  ]);
}
