// The same logic without Electron: `ATOMIC_LOG_MAPPING=shared node src/under-node.cjs`
// takes the memory that Electron's sandbox demands. A child process stands in for
// the utility process, a MessageChannel for the port to the renderer.
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { join } = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const { MessageChannel, Worker } = require('node:worker_threads');
const { forward } = require('./batches.cjs');
const { makeLog, startTelemetry } = require('./telemetry.cjs');

async function main() {
  const { writer, log } = makeLog();
  const stop = startTelemetry(writer);
  const ending = new AbortController();
  const newest = { mapping: log.mapping };

  const worker = new Worker(join(__dirname, 'statistics-worker.cjs'), { workerData: log.handle });
  worker.on('message', (statistics) => (newest.worker = statistics));
  const utility = fork(join(__dirname, 'utility.cjs'), { serialization: 'advanced' });
  utility.on('message', (statistics) => (newest.utility = statistics));
  const { port1, port2 } = new MessageChannel();
  newest.renderer = { entries: 0 };
  port2.on('message', ({ firstIndex, columns }) => {
    if (firstIndex !== newest.renderer.entries) throw new Error('entries are missing');
    newest.renderer.entries += columns.load.length;
  });

  const forwarding = [
    forward(log, (batch) => utility.send(batch), ending.signal),
    forward(log, (batch) => port1.postMessage(batch), ending.signal),
  ];
  await pause(1500);
  stop();
  newest.entries = log.endIndex;
  writer.end(); // followers deliver what is left, and finish
  await Promise.all(forwarding);

  worker.postMessage('end');
  utility.send('end');
  await Promise.all([once(worker, 'exit'), once(utility, 'exit')]);
  port1.close();
  console.log(JSON.stringify(newest));
}

void main();
