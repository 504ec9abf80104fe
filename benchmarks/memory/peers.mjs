// One writer and several readers: what does an entry cost the writer, and how
// many entries reach every reader in a second? Beside the log, what else Node
// programs use for it. The writer writes in bursts; after each it waits until
// all readers have everything, so that no way gains by queueing or by losing.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { cpuTime, hasCpuTime } from '../cpu-time.mjs';
import { isQuick, median, quantile, roundsOf, warmupOf } from '../measure.mjs';
import { BATCH, CAPACITY, ways } from './peers-ways.mjs';

const ROUNDS = 5;
const BURSTS = roundsOf(5);
const cases = [
  ...(isQuick ? [1, 3] : [1, 3, 4, 8]).map((readers) => ({ shape: 'each', readers })),
  ...[1, 3].map((readers) => ({ shape: 'batches', readers })),
];
const runsOf = ({ shape, readers }) =>
  ways.filter(
    ({ readersMax = Infinity, shapes = [shape] }) => readers <= readersMax && shapes.includes(shape),
  );

function start(reader, way, shared) {
  const [end, transferList = []] = way.ends(reader);
  const workerData = { ...shared, how: way.how, end, reader };
  return new Worker(new URL('./peers-reader.mjs', import.meta.url), { workerData, transferList });
}

/** One run of a way: the writer's nanoseconds per entry, and entries per second at the slowest reader. */
async function trial({ open, messages }, { shape, readers }) {
  const perMessage = shape === 'each' ? 1 : BATCH;
  const burst = messages === undefined ? CAPACITY : Math.floor(messages / readers) * perMessage;
  const doneBursts = new Int32Array(new SharedArrayBuffer(4 * readers));
  const doneAt = new BigInt64Array(new SharedArrayBuffer(8 * readers));
  const way = open(readers);
  const shared = { burst, bursts: BURSTS, doneBursts, doneAt };
  const workers = Array.from({ length: readers }, (_, reader) => start(reader, way, shared));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const results = Promise.all(workers.map((worker) => once(worker, 'message')));
  const exits = Promise.all(workers.map((worker) => once(worker, 'exit')));

  let cpu = 0;
  let elapsed = 0n;
  for (let k = 1; k <= BURSTS; ++k) {
    const begin = process.hrtime.bigint();
    const cpuBegin = cpuTime();
    way[shape](burst);
    cpu += cpuTime() - cpuBegin;
    while (doneBursts.some((_, reader) => Atomics.load(doneBursts, reader) < k)) await sleep(1);
    const end = doneAt.reduce((latest, at) => (at > latest ? at : latest));
    elapsed += end - begin;
  }
  const entries = burst * BURSTS;
  check(await results, entries);
  await exits;
  way.close?.();
  return { ns: cpu / entries, perSecond: (entries / Number(elapsed)) * 1e9 };
}

function check(results, entries) {
  const [{ sum }] = results[0];
  for (const [result] of results) {
    if (result.received !== entries || result.sum !== sum) {
      throw new Error(`a reader got ${JSON.stringify(result)} of ${entries} entries, sum ${sum}`);
    }
  }
}

if (hasCpuTime) {
  const samples = cases.map((one) => runsOf(one).map(() => []));
  for (let round = -warmupOf(1); round < roundsOf(ROUNDS); ++round) {
    for (const [c, one] of cases.entries()) {
      for (const [w, way] of runsOf(one).entries()) {
        const sample = await trial(way, one);
        if (round >= 0) samples[c][w].push(sample);
      }
    }
  }
  for (const [c, { shape, readers }] of cases.entries()) {
    for (const [w, { name }] of runsOf(cases[c]).entries()) {
      const ns = samples[c][w].map((sample) => sample.ns);
      const ratio = ns.map((value, round) => value / samples[c][0][round].ns);
      const row = {
        table: 'peers',
        entries: shape === 'each' ? 'one by one' : `batches of ${BATCH}`,
        readers,
        way: name,
        ns: median(ns),
        ratio: median(ratio),
        low: quantile(ns, 0.25),
        high: quantile(ns, 0.75),
        perSecond: median(samples[c][w].map((sample) => sample.perSecond)),
        samples: { ns, ratio },
      };
      process.stdout.write(`${JSON.stringify(row)}\n`);
    }
  }
}
