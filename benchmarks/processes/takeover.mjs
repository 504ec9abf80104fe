// How soon has a process that waits for the claim got it, when the writer is killed?
import { once } from 'node:events';
import { join } from 'node:path';
import { AtomicLog } from '../../dist/index.mjs';
import { figure, report, roundsOf } from '../measure.mjs';
import { canShareLogs, startProcess, withMemoryDirectory } from './shared-place.mjs';

const ROUNDS = 25;

/** From before the signal to the first entry of the next writer: nanoseconds. */
async function takeOver(path) {
  const log = await AtomicLog.open(path, { retainedCapacity: 65_536, segmentCapacity: 4096 });
  const child = await startProcess('takeover-writer.mjs', [path]);
  const exited = once(child, 'exit');
  const claimed = log.waitForWriter();
  // So that it waits, and the writer is in the middle of its work.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const start = process.hrtime.bigint();
  child.kill('SIGKILL');
  const writer = await claimed;
  writer.append(1);
  const ns = Number(process.hrtime.bigint() - start);
  writer.close();
  log.close();
  await exited;
  return ns;
}

if (canShareLogs) {
  const samples = await withMemoryDirectory(async (directory) => {
    const times = [];
    for (let round = 0; round < roundsOf(ROUNDS); ++round) times.push(await takeOver(join(directory, 'log')));
    return times;
  });
  report([
    {
      operation: 'the writer is killed, until the first entry of one that waited in waitForWriter()',
      ...figure(samples, samples, 'ns'),
      target: 10_000_000,
      note: `at most ${(Math.max(...samples) / 1e6).toFixed(1)} ms`,
    },
  ]);
}
