// A reader of the curve of readers in growth-memory.mjs: takes what is new until it is told to stop.
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from '../dist/index.mjs';

const { handle, stop, how } = workerData;
const log = AtomicLog.attach(handle);
const isStopped = () => Atomics.load(stop, 0) === 1;

/** Wakes every millisecond, and looks at what is new or at nothing. */
function poll(doesLook) {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const snapshot = log.snapshot();
  parentPort.postMessage('ready');
  while (!isStopped()) {
    if (doesLook) snapshot.refresh();
    Atomics.wait(pause, 0, 0, 1);
  }
  snapshot.close();
}

async function follow() {
  const batches = log.follow({ from: 'latest' });
  parentPort.postMessage('ready');
  for await (const batch of batches) {
    if (batch.length > 0 && isStopped()) break;
  }
}

await (how === 'follow' ? follow() : poll(how === 'poll'));
