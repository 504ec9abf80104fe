// @ts-check
import { basename } from 'node:path';
import { fieldNames } from '../fields.mjs';
import { UsageError } from '../usage-error.mjs';
import { readColumns } from './table-file.mjs';

/** @typedef {import('./source.mjs').Source} Source */

/** The sample data set takes ten seconds. */
const RATE = 20_000;

/**
 * Replays the numeric columns of a table.
 *
 * @param {string} path
 * @param {boolean} loop
 * @returns {Source}
 */
export function openTable(path, loop) {
  const all = readColumns(path);
  const leftOut = all.flatMap(({ header, values }) => {
    const reason = notNumeric(values);
    return reason === undefined ? [] : [`column '${printable(header)}': ${reason}`];
  });
  const numeric = all.filter(({ values }) => notNumeric(values) === undefined);
  if (numeric.length === 0) {
    throw new UsageError(
      [`${path}: no column has numbers only, so there is nothing to replay`, ...leftOut].join('\n  '),
    );
  }
  const columns = numeric.map(({ values }) => Float64Array.from(values, (value) => Number(value ?? NaN)));
  const rows = columns[0].length;
  let next = 0;
  return {
    label: `${basename(path)} (${rows.toLocaleString('en')} rows${loop ? ', repeated' : ''})`,
    fields: fieldNames(numeric.map(({ header }) => header)),
    leftOut,
    rate: RATE,
    fill(targets, count) {
      let done = 0;
      while (done < count) {
        if (next === rows && loop) next = 0;
        const size = Math.min(count - done, rows - next);
        if (size === 0) break;
        for (let i = 0; i < columns.length; ++i) targets[i].set(columns[i].subarray(next, next + size), done);
        next += size;
        done += size;
      }
      return done;
    },
    close() {},
  };
}

/**
 * Why a column cannot be replayed; undefined when its values are numbers, apart from missing ones.
 *
 * @param {readonly unknown[]} values
 * @returns {string | undefined}
 */
function notNumeric(values) {
  const isOther = (/** @type {unknown} */ value) => value !== undefined && typeof value !== 'number';
  const first = values.findIndex(isOther);
  if (first < 0) return values.every((value) => value === undefined) ? 'it has no values' : undefined;
  const count = values.filter(isOther).length;
  const shown = printable(typeof values[first] === 'string' ? values[first] : JSON.stringify(values[first]));
  return `${count} of ${values.length} values ${count === 1 ? 'is no number' : 'are no numbers'}, the first in row ${first + 1}: ${shown}`;
}

/**
 * @param {string} text
 * @returns {string} Short, and without what would move the terminal's cursor.
 */
function printable(text) {
  const clean = text.replace(/[\p{C}\s]+/gu, ' ').trim();
  return clean.length > 40 ? `${clean.slice(0, 40)}…` : clean;
}
