// How long does an entry take to be seen in another process, by a reader that spins and
// by one that sleeps? Threads of one process do the same with a log of theirs.
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AtomicLog } from '../../dist/index.mjs';
import { figure, quantile, report, roundsOf, warmupOf } from '../measure.mjs';
import { canShareLogs, startProcess, withMemoryDirectory } from './shared-place.mjs';
import { roundTrip } from './latency-spin.mjs';

const ROUNDS = 9;
const TRIPS = 20_000;
/** Long enough that the reader sleeps. */
const PAUSE_NS = 300_000n;
const WAKES = 300;
const OPTIONS = { retainedCapacity: 65_536, segmentCapacity: 4096 };

const p50 = (values) => quantile(values, 0.5);

/** Both logs, and the peer that answers: another thread, or another process. */
const kinds = {
  async threads() {
    const there = new AtomicLog(OPTIONS);
    const back = new AtomicLog(OPTIONS);
    const peer = new Worker(new URL('./latency-peer.mjs', import.meta.url), {
      workerData: [there.handle, back.handle],
    });
    await once(peer, 'message');
    return { there, back, ask: (command) => peer.postMessage(command), peer, stop: () => peer.terminate() };
  },
  async processes(directory) {
    const paths = ['there', 'back'].map((name) => join(directory, name));
    const [there, back] = paths.map((path) => AtomicLog.openSync(path, OPTIONS));
    const peer = await startProcess('latency-peer.mjs', paths);
    return { there, back, ask: (command) => peer.send(command), peer, stop: () => peer.kill() };
  },
};

/** Half a round trip of one number, both sides spinning: nanoseconds, the median of all trips. */
async function spinning({ writer, back, ask, peer }) {
  const trips = new Float64Array(TRIPS);
  const ready = once(peer, 'message');
  ask({ spin: TRIPS });
  await ready;
  const done = once(peer, 'message');
  roundTrip(writer, back, trips);
  await done;
  return p50(trips) / 2;
}

/** From before append() until the reader, which slept, runs again; both read one clock. */
async function woken({ writer, ask, peer }, how) {
  const started = once(peer, 'message');
  ask({ [how]: WAKES });
  await started;
  const done = once(peer, 'message');
  for (let i = 0; i < WAKES; ++i) {
    const until = process.hrtime.bigint() + PAUSE_NS;
    while (process.hrtime.bigint() < until);
    writer.append(Number(process.hrtime.bigint()));
  }
  return p50((await done)[0]);
}

async function main(directory) {
  const open = {};
  for (const [name, start] of Object.entries(kinds)) {
    open[name] = await start(directory);
    open[name].writer = open[name].there.tryClaimWriter();
  }
  const samples = [];
  for (let round = -warmupOf(2); round < roundsOf(ROUNDS); ++round) {
    const sample = {};
    for (const [name, kind] of Object.entries(open)) {
      sample[name] = {
        spinning: await spinning(kind),
        waitSync: await woken(kind, 'waitSync'),
        follow: await woken(kind, 'follow'),
      };
    }
    if (round >= 0) samples.push(sample);
  }
  for (const { stop } of Object.values(open)) await stop();
  return samples;
}

if (canShareLogs) {
  const samples = await withMemoryDirectory(main);
  const of = (kind, what) => samples.map((sample) => sample[kind][what]);
  const absolute = (what) => figure(of('processes', what), of('processes', what), 'ns');
  const besideThreads = (what) =>
    figure(
      of('processes', what),
      of('processes', what).map((ns, round) => ns / of('threads', what)[round]),
      'threads',
    );
  const microseconds = (what) => `threads take ${(p50(of('threads', what)) / 1000).toFixed(2)} us`;
  report([
    {
      operation: 'published until seen in another process that spins, p50',
      ...absolute('spinning'),
      target: 500,
      note: `half a round trip; ${microseconds('spinning')}`,
    },
    {
      operation: 'published until a process that waits in waitSync() runs, p50',
      ...absolute('waitSync'),
      target: null,
      note: microseconds('waitSync'),
    },
    {
      operation: 'a process that waits in waitSync(), next to a thread',
      ...besideThreads('waitSync'),
      target: 1.5,
    },
    {
      operation: 'published until a follower in another process has it, p50',
      ...absolute('follow'),
      target: null,
      note: microseconds('follow'),
    },
    {
      operation: 'a follower in another process, next to one in a thread',
      ...besideThreads('follow'),
      target: 1.5,
    },
  ]);
}
