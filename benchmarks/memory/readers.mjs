// What do polling readers cost the writer? Its own CPU time per entry, with as
// many readers as there are other cores.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';
import { median, report } from '../measure.mjs';

const ENTRIES = 6_400_000;
const ROUNDS = 7;
const READERS = Math.max(1, availableParallelism() - 1);

/** Nanoseconds that this thread has been on a processor. */
function cpuTime() {
  if (process.threadCpuUsage !== undefined) {
    const { user, system } = process.threadCpuUsage();
    return (user + system) * 1000;
  }
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]);
}

const { writer, log } = AtomicLog.claimed({ retainedCapacity: 65_536, segmentCapacity: 4096 });

function cpuPerEntry() {
  const start = cpuTime();
  for (let i = 0; i < ENTRIES; i += 64) {
    for (let j = 0; j < 64; ++j) writer.write(j * 0.5);
    writer.publish();
  }
  return (cpuTime() - start) / ENTRIES;
}

/** Readers that poll, with a pause in between, until told to stop. */
async function withReaders(pauseNs, measure) {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workers = Array.from(
    { length: READERS },
    () =>
      new Worker(new URL('./readers-worker.mjs', import.meta.url), {
        workerData: { handle: log.handle, stop, pauseNs },
      }),
  );
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  const result = measure();
  Atomics.store(stop, 0, 1);
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  return result;
}

if (process.platform === 'linux' || process.threadCpuUsage !== undefined) {
  const samples = { alone: [], paced: [], tight: [] };
  cpuPerEntry();
  for (let round = 0; round < ROUNDS; ++round) {
    samples.alone.push(cpuPerEntry());
    samples.paced.push(await withReaders(1000, cpuPerEntry));
    samples.tight.push(await withReaders(0, cpuPerEntry));
  }
  const ratio = (name) => median(samples[name].map((ns, round) => ns / samples.alone[round]));
  const row = (name, how, target) => ({
    operation: `writer's CPU per entry, ${READERS} reader(s) polling ${how}`,
    ns: median(samples[name]),
    ratio: ratio(name),
    unit: 'no readers',
    target,
  });
  report([row('paced', 'every 1 us', 1.5), row('tight', 'without pause', null)]);
}
