// What does a thread pay before it can use a log: its first snapshot, attaching to
// one, making one?
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AtomicLog } from '../../dist/index.mjs';
import { compare, figure, report, roundsOf } from '../measure.mjs';

const ROUNDS = 9;
const SEGMENTS = 1000;
const size = { retainedCapacity: 16 * 64, segmentCapacity: 64 };

/** A log whose segments no thread but this one has seen. */
function filled() {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: SEGMENTS, segmentCapacity: 1 });
  for (let i = 0; i < SEGMENTS; ++i) writer.append(i);
  return log;
}

/** Nanoseconds of the first snapshot of each log, in a new thread. */
async function firstSnapshots(logs) {
  const workerData = logs.map(({ handle }) => handle);
  const worker = new Worker(new URL('./attach-worker.mjs', import.meta.url), { workerData });
  const [[times]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return times;
}

const perSegment = { first: [], second: [] };
for (let round = 0; round < roundsOf(ROUNDS); ++round) {
  const logs = [filled(), filled()];
  const [first, second] = await firstSnapshots(logs);
  perSegment.first.push(first / SEGMENTS);
  perSegment.second.push(second / SEGMENTS);
  for (const log of logs) log.close();
}

const { writer, log } = AtomicLog.claimed(size);
writer.appendBatch(new Float64Array(size.retainedCapacity));
const { handle } = log;

const figureOf = compare({
  'snapshot + close': {
    operations: 100_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) log.snapshot().close();
    },
  },
  'attach + close': {
    operations: 5000,
    run(operations) {
      for (let i = 0; i < operations; ++i) AtomicLog.attach(handle).close();
    },
  },
  'new + close': {
    operations: 1000,
    run(operations) {
      for (let i = 0; i < operations; ++i) new AtomicLog(size).close();
    },
  },
  'claimed, one entry, close': {
    operations: 1000,
    run(operations) {
      for (let i = 0; i < operations; ++i) {
        const one = AtomicLog.claimed(size);
        one.writer.append(1);
        one.writer.close();
        one.log.close();
      }
    },
  },
});

const nanoseconds = (operation, values, target) => ({
  operation,
  ...figure(values, values, 'ns'),
  target,
});
report([
  nanoseconds(`first snapshot() of a thread, per segment, of ${SEGMENTS} segments`, perSegment.first, 2000),
  nanoseconds('first snapshot() of its second log, per segment', perSegment.second, 2000),
  { operation: 'AtomicLog.attach + close', ...figureOf('attach + close', 'snapshot + close'), target: 15 },
  { operation: 'new AtomicLog + close, 17 segments at most', ...figureOf('new + close'), target: 50_000 },
  {
    operation: 'claimed(), one entry, close of both',
    ...figureOf('claimed, one entry, close'),
    target: 50_000,
  },
]);
