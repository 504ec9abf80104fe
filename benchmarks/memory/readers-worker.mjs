// A reader of readers.mjs.
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from '../../dist/index.mjs';

const { handle, stop, pauseNs } = workerData;
const log = AtomicLog.attach(handle);
const snapshot = log.snapshot();
const pause = BigInt(pauseNs);

parentPort.postMessage('ready');
while (Atomics.load(stop, 0) === 0) {
  snapshot.refresh();
  if (pauseNs > 0) {
    const until = process.hrtime.bigint() + pause;
    while (process.hrtime.bigint() < until);
  }
}
snapshot.close();
