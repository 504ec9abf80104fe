// A thread of a reader: follows the log in memory, and checks that entries come once and in order.
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';
import { chainOf, schema } from './record.mjs';

const log = AtomicLog.attach(workerData, { schema, name: 'worker' });
const seen = { first: 0, lsn: 0, chain: 0, entries: 0 };

function take(lsn, time, value, chain) {
  const isFirst = seen.first === 0;
  if (isFirst) seen.first = lsn;
  else if (lsn !== seen.lsn + 1) throw new Error(`entry ${lsn} came after entry ${seen.lsn}`);
  // What was before the first one is not known here, unless it is the first of all.
  const isKnown = !isFirst || lsn === 1;
  if (isKnown && chainOf(seen.chain, time, value) !== chain) throw new Error(`entry ${lsn} is another one`);
  Object.assign(seen, { lsn, chain, entries: seen.entries + 1 });
}

for await (const batch of log.follow({ onLost: 'throw' })) {
  for (const chunk of batch.chunks()) {
    const [lsn, time, value, chain] = ['lsn', 'time', 'value', 'chain'].map((name) => chunk.column(name));
    for (let i = 0; i < chunk.length; ++i) take(lsn[i], time[i], value[i], chain[i]);
  }
  parentPort.postMessage(seen);
}
