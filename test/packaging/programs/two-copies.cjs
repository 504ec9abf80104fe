// Two copies of the package in one process, one of them in a worker too, which ends.
const assert = require('node:assert');
const { Worker } = require('node:worker_threads');
const one = require('atomic-log');
const other = require('other-log');

const options = { retainedCapacity: 100, segmentCapacity: 10 };
const logs = [one, other].map(({ AtomicLog }) => AtomicLog.claimed(options));
const paths = logs.map(({ log }) => log.handle.addonPath);
assert.notEqual(paths[0], paths[1]);

function fill() {
  for (const { writer, log } of logs) {
    const before = log.endIndex;
    for (let i = 0; i < 100; ++i) writer.append(i);
    const snapshot = log.snapshot();
    assert.equal(
      [...snapshot].slice(-100).reduce((a, b) => a + b),
      4950,
    );
    assert.equal(log.endIndex, before + 100);
    snapshot.close();
  }
}

fill();
for (const [Attaching, { log }] of [
  [other, logs[0]],
  [one, logs[1]],
]) {
  assert.throws(
    () => Attaching.AtomicLog.attach(log.handle),
    (error) => error.code === 'ERR_FOREIGN_HANDLE' && paths.every((path) => error.message.includes(path)),
  );
}
const source = `
  const { AtomicLog } = require('other-log');
  const { writer, log } = AtomicLog.claimed(${JSON.stringify(options)});
  writer.append(1);
  log.snapshot();
`;
const worker = new Worker(source, { eval: true });
worker.on('error', (error) => {
  throw error;
});
worker.on('exit', () => {
  fill();
  console.log(JSON.stringify({ sum: 4950, addonPath: paths[0] }));
});
