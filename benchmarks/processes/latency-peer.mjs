// The other side of latency.mjs, as a thread or as a process: answers what it gets, or
// says how long ago each entry was sent when it has it.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from '../../dist/index.mjs';
import { answer } from './latency-spin.mjs';

const [there, back] = isMainThread
  ? process.argv.slice(2).map((path) => AtomicLog.openSync(path, { create: false }))
  : workerData.map((handle) => AtomicLog.attach(handle));
const writer = back.tryClaimWriter();
const tell = isMainThread ? (message) => process.send(message) : (message) => parentPort.postMessage(message);
const now = () => Number(process.hrtime.bigint());

const commands = {
  spin(trips) {
    const snapshot = there.snapshot();
    tell('ready');
    answer(snapshot, writer, trips);
    snapshot.close();
    tell('done');
  },

  waitSync(wakes) {
    const times = [];
    const first = there.endIndex;
    tell('ready');
    for (let i = 0; i < wakes; ++i) {
      there.waitSync(first + i, Infinity, { allowMainThread: true });
      const at = now();
      times.push(at - there.latest());
    }
    tell(times);
  },

  async follow(wakes) {
    const times = [];
    const batches = there.follow({ from: 'latest' });
    tell('ready');
    for await (const batch of batches) {
      const at = now();
      for (const sent of batch) times.push(at - sent);
      if (times.length >= wakes) break;
    }
    tell(times);
  },
};

(isMainThread ? process : parentPort).on('message', (command) => {
  const [[name, count]] = Object.entries(command);
  void commands[name](count);
});
if (isMainThread) process.on('disconnect', () => process.exit());
tell('open');
