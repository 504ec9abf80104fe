// A market hub: one thread has the feed, strategies in workers trade on it, and a slow reader draws
// what it can. None of them slows the feed down; what a reader was too slow for is counted.
//
//   node examples/market-hub/main.mjs [SECONDS] [TICKS per second]
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';
import { schema, SYMBOLS } from './schema.mjs';

const [seconds = '2', rate = '20000'] = process.argv.slice(2);
const TURN_MS = 5;

const { writer, log } = AtomicLog.claimed({
  name: 'ticks',
  retainedCapacity: 1 << 14,
  segmentCapacity: 1 << 11,
  schema,
});

/** Workers and what they say in the end. */
const readers = ['momentum', 'meanReversion', 'slow'].map((name) => {
  const module = name === 'slow' ? './slow-reader.mjs' : './strategy.mjs';
  const worker = new Worker(new URL(module, import.meta.url), { workerData: { handle: log.handle, name } });
  return { worker, ready: once(worker, 'message'), result: undefined };
});
// A follower that was not there yet would begin with the window as it is then.
await Promise.all(readers.map(({ ready }) => ready));
for (const reader of readers) reader.result = once(reader.worker, 'message');

/** A random walk for each symbol, in columns that are used again. */
const room = Math.ceil((Number(rate) * TURN_MS) / 1000) * 100;
const columns = {
  time: new Float64Array(room),
  symbol: new Uint8Array(room),
  price: new Float64Array(room),
  size: new Uint32Array(room),
};
const prices = SYMBOLS.map(() => 100);
function tick(count) {
  for (let i = 0; i < count; ++i) {
    const symbol = Math.floor(Math.random() * SYMBOLS.length);
    prices[symbol] *= 1 + (Math.random() - 0.5) / 1000;
    columns.time[i] = performance.timeOrigin + performance.now();
    columns.symbol[i] = symbol;
    columns.price[i] = prices[symbol];
    columns.size[i] = 1 + Math.floor(Math.random() * 100);
  }
  const parts = Object.entries(columns).map(([name, column]) => [name, column.subarray(0, count)]);
  writer.appendBatch(Object.fromEntries(parts));
}

const begin = performance.now();
let published = 0;
const total = Math.round(Number(seconds) * Number(rate));
while (published < total) {
  const due = Math.floor(((performance.now() - begin) / 1000) * Number(rate)) - published;
  const count = Math.min(due, room, total - published);
  if (count > 0) tick(count);
  published += Math.max(count, 0);
  await new Promise((resolve) => setTimeout(resolve, TURN_MS));
}
writer.end(); // ends the followers, once they have read what is there
const results = await Promise.all(readers.map(async ({ result }) => (await result)[0]));
const isComplete = results.every(({ seen, lost }) => seen + lost === published);
for (const result of results) console.log(JSON.stringify(result));
console.log(JSON.stringify({ published, isComplete }));
process.exitCode = isComplete ? 0 : 1;
