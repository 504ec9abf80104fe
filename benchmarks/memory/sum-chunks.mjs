// A child of sum.mjs: the same loop over the chunks of a snapshot.
import { AtomicLog } from '../../dist/index.mjs';

const type = process.argv[2];
const { writer, log } = AtomicLog.claimed({ retainedCapacity: 16 * 4096, segmentCapacity: 4096, type });
for (let i = 0; i < 17 * 4096; ++i) writer.append(i >> 12);
const snapshot = log.snapshot();

function sum() {
  let total = 0;
  for (const { values } of snapshot.chunks()) {
    for (let i = 0; i < values.length; ++i) total += values[i];
  }
  return total;
}

const times = [];
for (let round = 0; round < 60; ++round) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < 20; ++i) sum();
  times.push(Number(process.hrtime.bigint() - start) / (20 * 17 * 4096));
}
times.sort((a, b) => a - b);
console.log(times[30]);
