// Does a writer pay for other logs in its thread? All writers call one native
// function, which remembers who called it last.
import { AtomicLog } from '../../dist/index.mjs';
import { compare, emptyCall, report } from '../measure.mjs';

const options = { retainedCapacity: 65_536, segmentCapacity: 4096 };
const writers = Array.from({ length: 3 }, () => AtomicLog.claimed(options).writer);

const figureOf = compare({
  E: emptyCall,
  append: {
    operations: 900_000,
    run(operations) {
      for (const writer of writers) {
        for (let i = 0; i < operations / writers.length; ++i) writer.append(i * 0.5);
      }
    },
  },
});

report([
  {
    operation: 'append, each published, three logs in one thread',
    ...figureOf('append', 'E'),
    target: null,
  },
]);
