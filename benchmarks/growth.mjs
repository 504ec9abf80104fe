// What does an operation cost when there is more of something: entries, segments,
// readers, columns, files, bytes? Prints curves as JSON: `npm run bench:growth`.
//
// Every point is measured in processes of its own, and the points of a curve take
// turns. `ns` is of the quickest one, because other work only makes one slower;
// `low` and `high` are the quartiles. `rise` is by how much a point is above an
// earlier one, at most: up to 1.3 a curve counts as flat; `why` says what makes one
// rise, by the other figures of the same curve. What is not measured is in `leftOut`,
// with the reason.
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { conditions } from './conditions.mjs';
import { runPoint } from './growth-child.mjs';
import { curves as durable } from './growth-durable.mjs';
import { curves as memory } from './growth-memory.mjs';
import { quantile } from './measure.mjs';

const all = { ...memory, ...durable };
const FLAT = 1.3;
/** What is kept free of memory and disk. */
const SPARE_SHARE = 0.5;

const program = new Command('npm run bench:growth --')
  .description('what operations cost as one thing grows, as JSON')
  .option('--only <curves...>', `of these: ${Object.keys(all).join(', ')}`)
  .option('--full', 'the whole of each curve; without it, what takes two minutes')
  .option('--rounds <count>', 'how often each point is measured', '3')
  .parse();
const { only = Object.keys(all), full, rounds } = program.opts();
const unknown = only.find((name) => !(name in all));
if (unknown !== undefined) program.error(`there is no curve ${unknown}`, { exitCode: 2 });

/** Memory that can be had, counting what the system only keeps as a copy of files. */
function availableMemory() {
  if (!existsSync('/proc/meminfo')) return freemem();
  return 1024 * Number(/MemAvailable: +(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))[1]);
}

function availableDisk(place) {
  const { bavail, bsize } = statfsSync(place);
  return bavail * bsize;
}

/** Why this value cannot be measured here; undefined when it can. */
function obstacle({ bytes, disk, place }, value) {
  if (bytes !== undefined && bytes(value) > SPARE_SHARE * availableMemory()) return 'not enough memory';
  if (disk !== undefined && disk(value) > SPARE_SHARE * availableDisk(place))
    return `not enough room in ${place}`;
  return undefined;
}

/** The values to measure, and those that are left out. */
function choose(curve) {
  const leftOut = full ? [] : (curve.more ?? []).map((value) => ({ value, why: 'without --full' }));
  const values = [];
  for (const value of [...curve.values, ...(full ? (curve.more ?? []) : [])]) {
    const why = obstacle(curve, value);
    if (why === undefined) values.push(value);
    else leftOut.push({ value, why });
  }
  return { values, leftOut };
}

/** By how much a point is above an earlier one, at most. */
function riseOf(points) {
  let lowest = Infinity;
  let rise = 1;
  for (const { ns } of points) {
    lowest = Math.min(lowest, ns);
    rise = Math.max(rise, ns / lowest);
  }
  return Number(rise.toPrecision(3));
}

async function measureCurve(name) {
  const curve = all[name];
  const { values, leftOut } = choose(curve);
  const folder = curve.place && mkdtempSync(join(curve.place, 'atomic-log-bench-'));
  const directoryOf = (value) => (folder === undefined ? '' : join(folder, String(value)));
  try {
    if (curve.prepare) for (const value of values) await runPoint(name, value, 'prepare', directoryOf(value));
    const samples = values.map(() => []);
    for (let round = 0; round < Number(rounds); ++round) {
      for (const [i, value] of values.entries()) {
        samples[i].push(await runPoint(name, value, 'measure', directoryOf(value)));
      }
    }
    const operations = Object.keys(samples[0][0]).map((operation) => {
      const points = values.map((value, i) => {
        const ns = samples[i].map((sample) => sample[operation]);
        const [low, high] = [0.25, 0.75].map((q) => quantile(ns, q));
        return { value, ns: Math.min(...ns), low, high };
      });
      const rise = riseOf(points);
      const isFlat = rise <= FLAT;
      return { operation, rise, isFlat, ...(isFlat ? {} : { why: curve.why?.[operation] }), points };
    });
    return { curve: name, grows: curve.grows, operations, leftOut };
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

const curves = [];
for (const name of only) {
  if (process.stderr.isTTY) console.error(`${name} ...`);
  curves.push(await measureCurve(name));
}
const seconds = Math.round(performance.now() / 1000);
console.log(JSON.stringify({ conditions: Object.fromEntries(conditions()), seconds, curves }, null, 2));
