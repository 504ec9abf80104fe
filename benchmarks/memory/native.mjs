// What does an entry cost a native producer, beside a bare loop of the same stores?
import { AtomicLog } from '../../dist/index.mjs';
import { compare, otherAddon, report } from '../measure.mjs';

const client = otherAddon('test/addon');
const log = new AtomicLog({ retainedCapacity: 65_536, segmentCapacity: 4096 });
if (client.openWriter(log.nativeHandle) !== 0) throw new Error('the writer could not be claimed');

const figureOf = compare({
  bare: { operations: 20_000_000, run: client.storeBare },
  append: { operations: 20_000_000, run: client.append },
  write64: { operations: 500_000, per: 64, run: client.write64 },
  batch64: { operations: 500_000, per: 64, run: client.batch64 },
});
if (log.endIndex === 0) throw new Error('nothing was appended');
client.closeWriter();

report([
  { operation: 'native producer: append, each published', ...figureOf('append'), target: 3 },
  { operation: 'native producer: a bare loop of the same stores', ...figureOf('bare'), target: null },
  ...[
    ['append', 'append, each published'],
    ['write64', 'write x64 then publish, per entry'],
    ['batch64', 'append_batch(64), per entry'],
  ].map(([name, what]) => ({
    operation: `native producer: ${what}`,
    ...figureOf(name, 'bare'),
    unit: 'bare loop',
    target: null,
  })),
]);
