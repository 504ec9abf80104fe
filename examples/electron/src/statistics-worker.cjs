// A worker thread that reads the log of its process where it is; nothing is copied.
const { parentPort, workerData } = require('node:worker_threads');
const { AtomicLog } = require('atomic-log');

const log = AtomicLog.attach(workerData);
const snapshot = log.snapshot();

function report() {
  snapshot.refresh();
  let sum = 0;
  for (const chunk of snapshot.chunks()) {
    for (const load of chunk.column('load')) sum += load;
  }
  parentPort.postMessage({ entries: log.endIndex, mean: sum / snapshot.length, mapping: log.mapping });
}

const timer = setInterval(report, 200);
parentPort.once('message', () => {
  clearInterval(timer);
  report();
  snapshot.close();
  log.close();
  parentPort.close();
});
