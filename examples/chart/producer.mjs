// The series: a point is its index as time, and a value that follows from it, so that a client can check it.
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';

const TURN_MS = 5;
const { writer, log } = AtomicLog.claimed({
  retainedCapacity: 1 << 15,
  segmentCapacity: 1 << 12,
  schema: { time: 'f64', value: 'f64' },
});
parentPort.postMessage(log.handle);

const begin = performance.now();
setInterval(() => {
  const due = Math.floor(((performance.now() - begin) / 1000) * workerData.rate);
  for (let i = writer.nextIndex; i < due; ++i) writer.write({ time: i, value: Math.sin(i / 1000) });
  writer.publish();
}, TURN_MS);
