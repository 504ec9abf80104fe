// Only workers load the addon, one after the other, and the last one posts views
// and an iterator that outlive it.
const { Worker } = require('node:worker_threads');

const source = `
  const { parentPort } = require('node:worker_threads');
  const { AtomicLog } = require('atomic-log');
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 10 });
  for (let i = 0; i < 100; ++i) writer.append(i);
  void log.follow({ from: 'latest' }).next(); // still waiting when the worker ends
  let sum = 0;
  for (const chunk of log.snapshot().chunks()) for (const value of chunk.values) sum += value;
  parentPort.postMessage({ sum, addonPath: log.handle.addonPath });
  setTimeout(() => process.exit(), 5);
`;

async function main() {
  let report;
  for (let round = 0; round < 5; ++round) {
    const worker = new Worker(source, { eval: true });
    worker.on('message', (message) => (report = message));
    await new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
  }
  console.log(JSON.stringify(report));
}

void main();
