// What do polling readers cost the writer? Its own CPU time per entry, with as
// many readers as there are other cores.
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { AtomicLog } from '../../dist/index.mjs';
import { cpuTime, hasCpuTime } from '../cpu-time.mjs';
import { figure, report, roundsOf } from '../measure.mjs';

const ENTRIES = 6_400_000;
const ROUNDS = 9;
const READERS = Math.max(1, availableParallelism() - 1);

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
  const workerData = { handle: log.handle, stop, pauseNs };
  const workers = Array.from(
    { length: READERS },
    () => new Worker(new URL('./readers-worker.mjs', import.meta.url), { workerData }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const result = measure();
  Atomics.store(stop, 0, 1);
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  return result;
}

if (hasCpuTime) {
  const alone = [];
  const paced = [];
  const tight = [];
  cpuPerEntry();
  for (let round = 0; round < roundsOf(ROUNDS); ++round) {
    alone.push(cpuPerEntry());
    paced.push(await withReaders(1000, cpuPerEntry));
    tight.push(await withReaders(0, cpuPerEntry));
  }
  const row = (samples, how, target) => {
    const ratios = samples.map((ns, round) => ns / alone[round]);
    return {
      operation: `writer's CPU per entry, published per 64, ${READERS} reader(s) polling ${how}`,
      ...figure(samples, ratios, 'no readers'),
      target,
    };
  };
  report([row(paced, 'every 1 us', 1.5), row(tight, 'without pause', null)]);
}
