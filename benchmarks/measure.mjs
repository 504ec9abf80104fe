/**
 * Measuring as ratios within one run: the candidates take turns, round after
 * round, so that a machine whose speed drifts treats all of them alike. The
 * ratio is taken in each round; the median over the rounds is what counts, and
 * the quartiles say how far to trust it.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
/** The addon itself: for the empty call, the unit of most rows. */
export const { addon } = require(join(root, 'dist', 'base', 'native.js'));

/** Another addon of this repository, built where it is missing or old. */
export function otherAddon(directory) {
  const { buildOtherAddon } = require(join(root, 'test', 'support', 'other-addons.cjs'));
  const binary = buildOtherAddon(directory);
  if (binary === undefined) throw new Error(`${directory} needs a C++ compiler`);
  return require(binary);
}

/** `--quick` only shows that everything runs. */
export const isQuick = process.env.BENCH_QUICK === '1';

/** How many rounds: what the question asks for, or one for `--quick`. */
export const roundsOf = (rounds) => (isQuick ? 1 : rounds);

/** How many rounds before those that count. */
export const warmupOf = (rounds) => (isQuick ? 0 : rounds);

/**
 * The value below which the share `q` of the values lies, as R and NumPy interpolate it. Four
 * lines, for which packages of statistics would bring a hundred functions.
 */
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)];
  return below + (sorted[Math.ceil(position)] - below) * (position % 1);
}

export const median = (values) => quantile(values, 0.5);

/**
 * Median and quartiles of what was measured in several rounds.
 *
 * @param {number[]} ns nanoseconds of each round
 * @param {number[]} ratios to the unit, in the same rounds
 */
export function figure(ns, ratios, unit) {
  return {
    ns: median(ns),
    ratio: median(ratios),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    unit,
    samples: { ns, ratio: ratios },
  };
}

/** Nanoseconds per operation of one run of `operations` operations. */
export function time(run, operations) {
  const start = process.hrtime.bigint();
  run(operations);
  return Number(process.hrtime.bigint() - start) / operations;
}

/**
 * Times candidates against a unit.
 *
 * @param {Record<string, { run: (operations: number) => unknown, operations: number, per?: number, before?: () => unknown }>} candidates
 *   `run` does the given number of operations; figures are divided by `per` (entries in an operation). `before` is not timed.
 * @returns the figure of a candidate, or of what a function makes of a round, in the unit that another one is;
 *   in nanoseconds when there is no unit.
 */
export function compare(candidates, { rounds = 15, warmup = 3 } = {}) {
  const samples = [];
  for (let round = -warmupOf(warmup); round < roundsOf(rounds); ++round) {
    const sample = {};
    for (const [name, { run, operations, per = 1, before }] of Object.entries(candidates)) {
      before?.();
      sample[name] = time(run, operations) / per;
    }
    if (round >= 0) samples.push(sample);
  }
  return (what, unit) => {
    const value = typeof what === 'function' ? what : (sample) => sample[what];
    return figure(
      samples.map(value),
      samples.map((sample) => value(sample) / (unit === undefined ? 1 : sample[unit])),
      unit ?? 'ns',
    );
  };
}

/** A constant: looking the property up in the addon's object takes longer than the call. */
const { doNothing } = addon;

/** The unit E: a native call that does nothing. */
export const emptyCall = {
  operations: 2_000_000,
  run(operations) {
    for (let i = 0; i < operations; ++i) doNothing();
  },
};

/** The unit A: Atomics.load of a view of the kind that the published word has. */
export function atomicsLoad(word) {
  return {
    operations: 2_000_000,
    run(operations) {
      let sum = 0;
      for (let i = 0; i < operations; ++i) sum += Atomics.load(word, 0);
      return sum;
    },
  };
}

/**
 * Lines of the result table.
 *
 * @typedef {{ ns: number, ratio: number, low: number, high: number, unit: string, samples: Samples }} Figure
 * @typedef {{ ns: number[], ratio: number[] }} Samples what each round gave, in their order
 * @typedef {Figure & { operation: string, target: number | null, note?: string, reason?: string }} Row
 *   a target of null: only reported; no ns: the row counts something; reason: one sentence that says by a measurement
 *   where the time goes, printed when the row misses its target
 * @param {Row[]} rows
 */
export function report(rows) {
  for (const row of rows) {
    if (row.table === undefined && row.target === undefined)
      throw new Error(`${row.operation}: what is its target, or null?`);
    process.stdout.write(`${JSON.stringify(row)}\n`);
  }
}
