// Appends, and reads in a worker; prints what was read and the addon's file.
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { AtomicLog } = require('atomic-log');

if (isMainThread) {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 10 });
  for (let i = 0; i < 100; ++i) writer.append(i);
  const worker = new Worker(__filename, { workerData: log.handle });
  worker.on('message', (sum) => console.log(JSON.stringify({ sum, addonPath: log.handle.addonPath })));
} else {
  let sum = 0;
  const snapshot = AtomicLog.attach(workerData).snapshot();
  for (const value of snapshot) sum += value;
  snapshot.close();
  parentPort.postMessage(sum);
}
