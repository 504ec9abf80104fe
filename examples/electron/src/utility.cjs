// The utility process: keeps a replica of the main process' log for its own workers.
const { join } = require('node:path');
const { Worker } = require('node:worker_threads');
const { receiveInto } = require('./batches.cjs');
const { makeLog } = require('./telemetry.cjs');

/** Electron's port to the main process; under Node, the channel of child_process. */
const toMain = process.parentPort ?? {
  on: (_, listener) => process.on('message', (data) => listener({ data })),
  postMessage: (message) => process.send(message),
};

const { writer, log } = makeLog();
const receive = receiveInto(writer);
const worker = new Worker(join(__dirname, 'statistics-worker.cjs'), { workerData: log.handle });
worker.on('message', (statistics) => toMain.postMessage(statistics));
worker.on('exit', () => process.exit());

toMain.on('message', ({ data }) => {
  if (data === 'end') worker.postMessage('end');
  else receive(data);
});
