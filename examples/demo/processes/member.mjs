// @ts-check
/** One process of the demo: it writes when it gets the claim, or reads, until it is killed. */
import { AtomicLog } from 'atomic-log';
import { checksumOf, valueOf } from './entry.mjs';

const REPORT_MS = 100;
const APPEND_MS = 5;

const [, , path, role, rate] = process.argv;
/** @type {AtomicLog<{ value: number, checksum: number }>} */
const log = await AtomicLog.open(path, { create: false });
const report = (/** @type {import('./members.mjs').Report} */ what) => process.send?.(what);
// The demo itself is gone.
process.on('disconnect', () => process.exit());
report({ state: 'open' });
await (role === 'write' ? write(Number(rate)) : read());

/** @param {number} perSecond */
async function write(perSecond) {
  const writer = await log.waitForWriter();
  const first = writer.nextIndex;
  const start = performance.now();
  report({ state: 'claimed', endIndex: first });
  setInterval(() => {
    const wanted = first + Math.floor(((performance.now() - start) * perSecond) / 1000);
    while (writer.nextIndex < wanted) {
      const index = writer.nextIndex;
      const value = valueOf(index);
      writer.append({ value, checksum: checksumOf(index, value) });
    }
  }, APPEND_MS);
  setInterval(() => report({ state: 'claimed', endIndex: writer.nextIndex }), REPORT_MS);
}

async function read() {
  const counts = { read: 0, lost: 0, wrong: 0 };
  setInterval(() => report({ state: 'reading', ...counts }), REPORT_MS);
  let next = -1;
  for await (const batch of log.follow()) {
    // Indexes go on without a gap, whoever writes.
    if (next !== -1 && batch.firstIndex !== next + batch.lost) ++counts.wrong;
    next = batch.firstIndex + batch.length;
    counts.lost += batch.lost;
    counts.read += batch.length;
    for (const chunk of batch.chunks()) {
      const values = chunk.column('value');
      const checksums = chunk.column('checksum');
      for (let i = 0; i < chunk.length; ++i) {
        const index = chunk.firstIndex + i;
        if (values[i] !== valueOf(index) || checksums[i] !== checksumOf(index, values[i])) ++counts.wrong;
      }
    }
  }
}
