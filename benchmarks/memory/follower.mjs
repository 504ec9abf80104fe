// What does a follower in another thread cost the writer, and how often is it
// woken? While one next() waits, once at most, however many entries are published
// meanwhile. The worst wait counts: at full speed, where the follower hardly ever
// waits, and with pauses that let it wait again for every entry.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AtomicLog } from '../../dist/index.mjs';
import { cpuTime, hasCpuTime } from '../cpu-time.mjs';
import { emptyCall, figure, median, report, roundsOf, warmupOf } from '../measure.mjs';

const ENTRIES = 2_000_000;
const PACED_ENTRIES = 20_000;
const PAUSE_NS = 20_000n;
const ROUNDS = 9;

const { writer, log } = AtomicLog.claimed({ retainedCapacity: 1 << 20, segmentCapacity: 65_536 });
const worker = new Worker(new URL('./follower-worker.mjs', import.meta.url), { workerData: log.handle });

async function ask(command) {
  worker.postMessage(command);
  return (await once(worker, 'message'))[0];
}

/** CPU time of this thread where there is such a clock: the follower may share its core. */
const clock = hasCpuTime ? cpuTime : () => Number(process.hrtime.bigint());

function perOperation(run, operations) {
  const start = clock();
  run(operations);
  return (clock() - start) / operations;
}

function append(operations) {
  for (let i = 0; i < operations; ++i) writer.append(i * 0.5);
}

function appendPaced(operations) {
  for (let i = 0; i < operations; ++i) {
    const until = process.hrtime.bigint() + PAUSE_NS;
    writer.append(i * 0.5);
    while (process.hrtime.bigint() < until);
  }
}

/** `run` while the follower follows: nanoseconds per entry, and what the follower counted. */
async function followed(run, operations) {
  await ask('follow');
  const ns = perOperation(run, operations);
  const counts = await ask('stop');
  if (counts.entries + counts.lost !== operations) {
    throw new Error(`${counts.entries} entries and ${counts.lost} lost of ${operations}`);
  }
  return { ns, ...counts };
}

const samples = [];
for (let round = -warmupOf(1); round < roundsOf(ROUNDS); ++round) {
  const E = perOperation(emptyCall.run, emptyCall.operations);
  const alone = perOperation(append, ENTRIES);
  const fast = await followed(append, ENTRIES);
  const paced = await followed(appendPaced, PACED_ENTRIES);
  if (round >= 0) samples.push({ E, alone, fast, paced });
}
await worker.terminate();

const ratios = (value) => samples.map((sample) => value(sample) / sample.E);
const total = (runs, field) => runs.reduce((sum, run) => sum + run[field], 0);
const entriesPerWakeUp = samples.map(({ fast }) => ENTRIES / Math.max(1, fast.wakeUps));

/** Counts, not times: the ratio is wake-ups to waits in the wait that had most. */
function wakeUpsRow(how, runs) {
  const most = runs.map(({ mostInOneWait }) => mostInOneWait);
  const waits = total(runs, 'waits');
  return {
    operation: `times that the writer wakes a follower while one next() waits, the most of all waits; writer ${how}`,
    ...figure([], most, 'wake-ups'),
    ns: undefined,
    ratio: Math.max(...most),
    target: 1,
    note: `${total(runs, 'wakeUps')} wake-ups, ${waits} waits, ${total(runs, 'entries')} entries`,
  };
}

const fast = samples.map((sample) => sample.fast);
const paced = samples.map((sample) => sample.paced);
report([
  {
    operation: 'append, one awaiting follower',
    ...figure(
      fast.map(({ ns }) => ns),
      ratios((sample) => sample.fast.ns),
      'E',
    ),
    target: null,
    note: `without it ${median(ratios(({ alone }) => alone)).toFixed(2)} E; woken once in ${median(entriesPerWakeUp).toFixed(0)} entries`,
  },
  wakeUpsRow('at full speed', fast),
  wakeUpsRow(`pausing ${PAUSE_NS / 1000n} us between entries`, paced),
]);
