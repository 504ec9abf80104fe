// A native thread publishes telemetry, JavaScript workers follow and check it.
//
//   npm run example:native [-- seconds [records per second]]
//
// Ends with 1 when a record was wrong.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';

const READERS = 2;
const seconds = Number(process.argv[2] ?? 3);
const recordsPerSecond = Number(process.argv[3] ?? 200_000);

const binary = fileURLToPath(new URL('build/Release/telemetry.node', import.meta.url));
if (!existsSync(binary)) {
  console.error('the addon is not built yet: npm run example:native builds it and runs this');
  process.exit(2);
}
const telemetry = createRequire(import.meta.url)(binary);

const log = new AtomicLog({
  retainedCapacity: 400_000,
  segmentCapacity: 8192,
  name: 'telemetry',
  schema: {
    time: 'f64', // ms, monotonic
    cpu: 'f64', // ms of processor time that the producer has used
    rss: 'f64', // bytes
    contextSwitches: 'f64',
    interrupts: 'f64',
    sequence: 'u32',
    check: 'u32',
  },
});

const readers = Array.from({ length: READERS }, () => {
  const worker = new Worker(new URL('reader.mjs', import.meta.url), { workerData: log.handle });
  const ready = new Promise((resolve) => worker.once('message', resolve));
  const result = ready.then(
    () =>
      new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      }),
  );
  return { ready, result };
});
await Promise.all(readers.map(({ ready }) => ready));

const started = performance.now();
telemetry.start(log.nativeHandle, recordsPerSecond);
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const newest = log.latest();
const records = telemetry.stop();
const rate = records / ((performance.now() - started) / 1000);

console.log(`native thread: ${records} records, ${Math.round(rate)} per second`);
if (newest !== undefined) {
  const share = newest.cpu / (seconds * 10);
  console.log(
    `its processor time: ${share.toFixed(1)} %; this process: ${(newest.rss / 2 ** 20).toFixed(0)} MiB; ` +
      `the machine: ${newest.contextSwitches} context switches, ${newest.interrupts} interrupts since it started`,
  );
}
let isRight = records === log.endIndex;
for (const { result } of readers) {
  const { checked, lost, wrong, batches } = await result;
  console.log(`a reader: ${checked} records checked in ${batches} batches, ${lost} lost, ${wrong} wrong`);
  isRight &&= wrong === 0 && checked > 0 && checked + lost === records;
}
log.close();
console.log(isRight ? 'all records are right' : 'FAILED');
process.exitCode = isRight ? 0 : 1;
