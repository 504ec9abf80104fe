// What does one entry cost its writer?
import { AtomicLog } from '../../dist/index.mjs';
import { compare, emptyCall, report } from '../measure.mjs';

const { writer } = AtomicLog.claimed({ retainedCapacity: 65_536, segmentCapacity: 4096 });

const figureOf = compare({
  E: emptyCall,
  append: {
    operations: 1_000_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.append(i * 0.5);
    },
  },
  publish: {
    operations: 1_000_000,
    run(operations) {
      for (let i = 0; i < operations; ++i) writer.publish();
    },
  },
  write64: {
    operations: 30_000,
    per: 64,
    run(operations) {
      for (let i = 0; i < operations; ++i) {
        for (let j = 0; j < 64; ++j) writer.write(j * 0.5);
        writer.publish();
      }
    },
  },
});

const inE = (name) => `${figureOf(name, 'E').ratio.toFixed(2)} E`;

report([
  {
    operation: 'append, each published, nobody waiting',
    ...figureOf('append', 'E'),
    target: 1.7,
    reason: `publish() with nothing new takes ${inE('publish')} of it, and storing the number ${inE('write64')}`,
  },
  { operation: 'write x64 then publish, per entry', ...figureOf('write64', 'E'), target: 0.3 },
]);
