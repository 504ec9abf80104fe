// The same by `import`, in one thread; the classes are those of `require`.
import assert from 'node:assert';
import { createRequire } from 'node:module';
import { AtomicLog } from 'atomic-log';

assert.equal(AtomicLog, createRequire(import.meta.url)('atomic-log').AtomicLog);
const { writer, log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 10 });
for (let i = 0; i < 100; ++i) writer.append(i);
const sum = [...log.snapshot()].reduce((a, b) => a + b);
console.log(JSON.stringify({ sum, addonPath: log.handle.addonPath }));
