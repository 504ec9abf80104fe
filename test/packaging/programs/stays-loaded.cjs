// A worker loads the addon and ends; prints whether the addon is still there.
const { readFileSync } = require('node:fs');
const { Worker } = require('node:worker_threads');

const isLoaded = () => /atomic[-_]log\S*\.node$/m.test(readFileSync('/proc/self/maps', 'utf8'));

const source = `
  const { parentPort } = require('node:worker_threads');
  require('atomic-log');
  parentPort.postMessage('loaded');
  parentPort.once('message', () => process.exit());
`;
const before = isLoaded();
const worker = new Worker(source, { eval: true });
let during;
worker.once('message', () => {
  during = isLoaded();
  worker.postMessage('end');
});
worker.once('exit', () => console.log(JSON.stringify([before, during, isLoaded()])));
