// What does it cost to read a log of processes without being one of them? The same operations by a
// reader that has a slot in the file, and pins; the one that may only read copies segments.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AtomicLog } from '../../dist/index.mjs';
import { compare, figure, isQuick, report, roundsOf } from '../measure.mjs';
import { canShareLogs, withMemoryDirectory } from './shared-place.mjs';

const SEGMENT = 4096;
const SIZE = { retainedCapacity: 16 * SEGMENT, segmentCapacity: SEGMENT };
const IDLE_ROUNDS = 3;
const IDLE_MS = isQuick ? 100 : 3000;
/** One in a hundred. */
const IDLE_TARGET = 10_000_000;

const follower = fileURLToPath(new URL('./idle-follower.mjs', import.meta.url));

async function idleTime(path, how) {
  const child = fork(follower, [path, how, String(IDLE_MS)]);
  const exited = once(child, 'exit');
  const [ns] = await once(child, 'message');
  await exited;
  return ns;
}

function sumOf(snapshot) {
  let sum = 0;
  for (const { values } of snapshot.chunks()) {
    for (let i = 0; i < values.length; ++i) sum += values[i];
  }
  return sum;
}

/** The same operations for each way of opening. */
function operationsOf(kind, path, options, writer) {
  const log = AtomicLog.openSync(path, options);
  const snapshot = log.snapshot();
  return {
    [`${kind}: refresh(), nothing new`]: {
      operations: 200_000,
      run(times) {
        for (let i = 0; i < times; ++i) snapshot.refresh();
      },
    },
    [`${kind}: append() and refresh()`]: {
      operations: 100_000,
      run(times) {
        for (let i = 0; i < times; ++i) {
          writer.append(i);
          snapshot.refresh();
        }
      },
    },
    [`${kind}: sum over chunks(), per entry`]: {
      operations: 20,
      per: SIZE.retainedCapacity,
      run(times) {
        let sum = 0;
        for (let i = 0; i < times; ++i) sum += sumOf(snapshot);
        return sum;
      },
    },
    [`${kind}: opened, first snapshot, all entries read, per entry`]: {
      operations: 5,
      per: SIZE.retainedCapacity,
      run(times) {
        let sum = 0;
        for (let i = 0; i < times; ++i) {
          const opened = AtomicLog.openSync(path, options);
          const first = opened.snapshot();
          sum += sumOf(first);
          first.close();
          opened.close();
        }
        return sum;
      },
    },
  };
}

async function main(directory) {
  const path = join(directory, 'log');
  const log = AtomicLog.openSync(path, SIZE);
  const writer = log.tryClaimWriter();
  const batch = new Float64Array(SEGMENT).fill(1.5);
  for (let i = 0; i < 20; ++i) writer.appendBatch(batch);
  const shared = operationsOf('shared', path, { create: false }, writer);
  const readOnly = operationsOf('read only', path, { readOnly: true }, writer);
  const measured = compare({ ...shared, ...readOnly }, { rounds: 9 });
  const names = Object.keys(readOnly).map((name) => name.slice('read only: '.length));
  report(
    names.map((name) => ({
      operation: `read only: ${name}`,
      ...measured(`read only: ${name}`, `shared: ${name}`),
      target: null,
    })),
  );
  const idle = [];
  for (let round = 0; round < roundsOf(IDLE_ROUNDS); ++round) {
    idle.push({ readOnly: await idleTime(path, 'readOnly'), shared: await idleTime(path, 'shared') });
  }
  report(
    Object.entries({ readOnly: 'may only read', shared: 'shares the log' }).map(([how, what]) => {
      const ns = idle.map((sample) => sample[how]);
      return {
        operation: `processor time per second of a follower that ${what} and waits`,
        ...figure(ns, ns, 'ns'),
        target: IDLE_TARGET,
      };
    }),
  );
}

if (canShareLogs) await withMemoryDirectory(main);
