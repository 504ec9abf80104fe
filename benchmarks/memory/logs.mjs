// Does a writer pay for other logs in its thread? All writers call one native
// function, which remembers who called it last.
import { AtomicLog } from '../../dist/index.mjs';
import { compare, emptyCall, report } from '../measure.mjs';

const options = { retainedCapacity: 65_536, segmentCapacity: 4096 };
const APPENDS = 900_000;
const alone = AtomicLog.claimed(options).writer;
const writers = Array.from({ length: 3 }, () => AtomicLog.claimed(options).writer);

// Measured before there is a second writer that the thread has used.
const one = {
  operations: APPENDS,
  run(operations) {
    for (let i = 0; i < operations; ++i) alone.append(i * 0.5);
  },
};
const figureOfOne = compare({ E: emptyCall, one });
const figureOf = compare({
  E: emptyCall,
  one,
  'one after the other': {
    operations: APPENDS,
    run(operations) {
      for (const writer of writers) {
        for (let i = 0; i < operations / writers.length; ++i) writer.append(i * 0.5);
      }
    },
  },
  'in turn': {
    operations: APPENDS,
    run(operations) {
      const [a, b, c] = writers;
      for (let i = 0; i < operations / 3; ++i) {
        a.append(i * 0.5);
        b.append(i * 0.5);
        c.append(i * 0.5);
      }
    },
  },
});
const figureOfPublish = compare({
  E: emptyCall,
  one: {
    operations: APPENDS,
    run(operations) {
      for (let i = 0; i < operations; ++i) alone.publish();
    },
  },
  'in turn': {
    operations: APPENDS,
    run(operations) {
      const [a, b, c] = writers;
      for (let i = 0; i < operations / 3; ++i) {
        a.publish();
        b.publish();
        c.publish();
      }
    },
  },
});
const publishes = (how) => `${figureOfPublish(how, 'E').ratio.toFixed(2)} E`;
// The two measurements have E in common.
const before = figureOfOne('one', 'E').ratio;
const besideOne = (name) => {
  const { ns, ratio, low, high } = figureOf(name, 'E');
  return { ns, ratio: ratio / before, low: low / before, high: high / before, unit: 'one log' };
};

report([
  {
    operation: 'append, each published, three logs in one thread',
    ...figureOf('one after the other', 'E'),
    target: null,
  },
  ...['one after the other', 'in turn'].map((how) => ({
    operation: `append, each published, three logs in one thread, ${how}, beside one log alone`,
    ...besideOne(how),
    target: 1.15,
    reason: `publish() with nothing new, the native call in each append, takes ${publishes('one')} of one log and ${publishes('in turn')} of three in turn: it has to find the log that is called`,
  })),
]);
