// The follower of follower.mjs: counts how often it waits, and how often the
// writer wakes it in each wait.
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { addon } from '../measure.mjs';

/** Wake-ups by the number of the wait that they were for. */
let wakeUpsByWait = new Map();

// In between the addon and the library, so before the library starts the waker.
// It is told of every wake-up that the writer issued, also of several for one wait.
const { startWaker } = addon;
addon.startWaker = (dispatch) =>
  startWaker((ids) => {
    for (const id of ids) wakeUpsByWait.set(id, (wakeUpsByWait.get(id) ?? 0) + 1);
    dispatch(ids);
  });
const { AtomicLog } = await import('../../dist/index.mjs');

/** Only what really waits gets there; a follower that finds entries does not. */
const { woken } = addon.waits;
const setWoken = woken.set;
woken.set = function (id, wake) {
  wakeUpsByWait.set(id, 0);
  return setWoken.call(this, id, wake);
};

const log = AtomicLog.attach(workerData);

async function follow(signal) {
  const figures = { batches: 0, entries: 0, lost: 0, sum: 0 };
  try {
    for await (const batch of log.follow({ from: 'latest', signal })) {
      ++figures.batches;
      figures.lost += batch.lost;
      for (const { values } of batch.chunks()) {
        figures.entries += values.length;
        for (let i = 0; i < values.length; ++i) figures.sum += values[i];
      }
    }
  } catch (error) {
    if (error !== signal.reason) throw error;
  }
  return figures;
}

let stop;
let following;
parentPort.on('message', async (command) => {
  if (command === 'follow') {
    wakeUpsByWait = new Map();
    stop = new AbortController();
    following = follow(stop.signal);
    parentPort.postMessage('ready');
  } else {
    // What was appended last is to be delivered first.
    await sleep(20);
    stop.abort();
    const figures = await following;
    const counts = [...wakeUpsByWait.values()];
    parentPort.postMessage({
      ...figures,
      waits: counts.length,
      wakeUps: counts.reduce((sum, count) => sum + count, 0),
      // A maximum, because a mean would hide the waits with several.
      mostInOneWait: counts.reduce((a, b) => Math.max(a, b), 0),
    });
  }
});
