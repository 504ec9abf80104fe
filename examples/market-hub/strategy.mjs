// A strategy: woken when there are ticks, it reads the columns where they lie and keeps two averages per symbol.
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';
import { schema, SYMBOLS } from './schema.mjs';

const { handle, name } = workerData;
const log = AtomicLog.attach(handle, { schema, name });
/** The sign of the difference that it buys at. */
const sign = name === 'momentum' ? 1 : -1;
const FAST = 0.1;
const SLOW = 0.01;
const fast = SYMBOLS.map(() => 100);
const slow = SYMBOLS.map(() => 100);
const held = SYMBOLS.map(() => 0);
let [seen, lost, trades, volume, cash] = [0, 0, 0, 0, 0];
const last = SYMBOLS.map(() => 100);

function trade(symbol, price) {
  const wanted = Math.sign(fast[symbol] - slow[symbol]) * sign;
  if (wanted === held[symbol]) return;
  cash -= (wanted - held[symbol]) * price;
  held[symbol] = wanted;
  ++trades;
}

parentPort.postMessage('ready');
for await (const batch of log.follow({ from: 0 })) {
  lost += batch.lost;
  seen += batch.length;
  for (const chunk of batch.chunks()) {
    const [symbols, prices, sizes] = ['symbol', 'price', 'size'].map((field) => chunk.column(field));
    for (let i = 0; i < chunk.length; ++i) {
      const symbol = symbols[i];
      fast[symbol] += FAST * (prices[i] - fast[symbol]);
      slow[symbol] += SLOW * (prices[i] - slow[symbol]);
      volume += sizes[i];
      last[symbol] = prices[i];
      trade(symbol, prices[i]);
    }
  }
}
const profit = held.reduce((sum, count, symbol) => sum + count * last[symbol], cash);
parentPort.postMessage({ name, seen, lost, trades, volume, profit: Number(profit.toFixed(2)) });
log.close();
