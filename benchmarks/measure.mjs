/**
 * Measuring as ratios within one run: the candidates take turns, round after
 * round, so that a machine whose speed drifts treats all of them alike. The
 * ratio is taken in each round; the median over the rounds is what counts.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** The addon itself: for the empty call, the unit of most rows. */
export const { addon } = createRequire(import.meta.url)(join(root, 'dist', 'native.js'));

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Nanoseconds per operation of one run of `operations` operations. */
function time(run, operations) {
  const start = process.hrtime.bigint();
  run(operations);
  return Number(process.hrtime.bigint() - start) / operations;
}

/**
 * Times candidates against a unit.
 *
 * @param {Record<string, { run: (operations: number) => unknown, operations: number, per?: number }>} candidates
 *   `run` does the given number of operations; figures are divided by `per` (entries in an operation).
 * @returns for each candidate the median of nanoseconds, and of its ratio to each other candidate in the same round.
 */
export function compare(candidates, { rounds = 15, warmup = 3 } = {}) {
  const names = Object.keys(candidates);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -warmup; round < rounds; ++round) {
    for (const name of names) {
      const { run, operations, per = 1 } = candidates[name];
      const ns = time(run, operations) / per;
      if (round >= 0) samples[name].push(ns);
    }
  }
  return {
    ns: (name) => median(samples[name]),
    ratio: (name, unit) => median(samples[name].map((ns, round) => ns / samples[unit][round])),
  };
}

/** The unit E: a native call that does nothing. */
export const emptyCall = {
  operations: 2_000_000,
  run(operations) {
    for (let i = 0; i < operations; ++i) addon.doNothing();
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
 * One line of the result table.
 *
 * @typedef {{ operation: string, ns: number, ratio: number, unit: string, target: number | null, note?: string }} Row
 * @param {Row[]} rows
 */
export function report(rows) {
  for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
}
