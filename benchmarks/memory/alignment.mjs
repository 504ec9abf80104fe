// Does a batch cost the same wherever its source begins in a page? Each of the 512
// offsets, in a log of each mapping and from shared memory, in children of their own.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { addon, median, quantile, report, roundsOf } from '../measure.mjs';

const CHILDREN = 3;
const child = fileURLToPath(new URL('./alignment-offsets.mjs', import.meta.url));
const CASES = [
  { name: 'external mapping', mapping: 'external', source: 'own', middle: 1.3 },
  { name: 'shared mapping', mapping: 'shared', source: 'own', middle: 1.6 },
  { name: 'external mapping, source in shared memory', mapping: 'external', source: 'shared', middle: 1.6 },
];

// Runtimes without external memory have only one of them.
const cases = CASES.filter(({ mapping }) => mapping === 'shared' || addon.canMapExternal());
const samples = cases.map(() => []);
for (let round = 0; round < roundsOf(CHILDREN); ++round) {
  cases.forEach(({ mapping, source }, i) => {
    const text = execFileSync(process.execPath, [child, mapping, source], { encoding: 'utf8' });
    samples[i].push(JSON.parse(text));
  });
}

report(
  cases.flatMap(({ name, middle }, i) => {
    const { length } = samples[i][0].ratios;
    // Of each offset, the median over the children: one disturbed moment is not the worst offset.
    const ofOffsets = (key) =>
      Array.from({ length }, (_, offset) => median(samples[i].map((sample) => sample[key][offset])));
    const ratios = ofOffsets('ratios');
    const ns = ofOffsets('ns');
    const worst = ratios.indexOf(Math.max(...ratios));
    const row = (what, nanoseconds, ratio, low, high, target) => ({
      operation: `appendBatch(4096), per entry, ${name}, ${what}`,
      ...{ ns: nanoseconds, ratio, low, high, unit: 'M', target },
    });
    return [
      row(
        'median of 512 offsets in a page',
        median(ns),
        median(ratios),
        quantile(ratios, 0.25),
        quantile(ratios, 0.75),
        middle,
      ),
      row(
        'worst offset',
        ns[worst],
        ratios[worst],
        ...[0.25, 0.75].map((q) =>
          quantile(
            samples[i].map((sample) => sample.ratios[worst]),
            q,
          ),
        ),
        1.6,
      ),
    ];
  }),
);
