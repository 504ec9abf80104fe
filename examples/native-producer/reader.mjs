// Follows the log from its beginning to its end and checks every record.
import { parentPort, workerData } from 'node:worker_threads';
import { AtomicLog } from 'atomic-log';

const log = AtomicLog.attach(workerData);
const counts = { checked: 0, lost: 0, wrong: 0, batches: 0 };

/** The 32-bit words of a column, over the same memory. */
const wordsOf = (column) => new Uint32Array(column.buffer, column.byteOffset, column.length * 2);

function check(chunk) {
  const columns = ['time', 'cpu', 'rss', 'contextSwitches', 'interrupts'].map((name) =>
    wordsOf(chunk.column(name)),
  );
  const times = chunk.column('time');
  const sequences = chunk.column('sequence');
  const checks = chunk.column('check');
  for (let i = 0; i < chunk.length; ++i) {
    let hash = Math.imul(0x811c9dc5 ^ sequences[i], 16777619);
    for (const words of columns) {
      hash = Math.imul(hash ^ words[2 * i], 16777619);
      hash = Math.imul(hash ^ words[2 * i + 1], 16777619);
    }
    const isInOrder = i === 0 || times[i] >= times[i - 1];
    const isRight = hash >>> 0 === checks[i] && sequences[i] === chunk.firstIndex + i && isInOrder;
    if (!isRight) ++counts.wrong;
    ++counts.checked;
  }
}

parentPort.postMessage('ready');
for await (const batch of log.follow({ from: 0 })) {
  ++counts.batches;
  counts.lost += batch.lost;
  for (const chunk of batch.chunks()) check(chunk);
}
log.close();
parentPort.postMessage(counts);
