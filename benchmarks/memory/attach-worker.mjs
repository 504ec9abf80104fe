// A thread of attach.mjs: how long its first snapshot of each log takes.
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from '../../dist/index.mjs';

const logs = workerData.map((handle) => AtomicLog.attach(handle));
const times = logs.map((log) => {
  const begin = process.hrtime.bigint();
  const snapshot = log.snapshot();
  const end = process.hrtime.bigint();
  snapshot.close();
  return Number(end - begin);
});
parentPort.postMessage(times);
