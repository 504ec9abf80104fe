// @ts-check
import { basename } from 'node:path';
import { fieldNames } from '../fields.mjs';
import { UsageError } from '../usage-error.mjs';
import { readColumns } from './table-file.mjs';

/** @typedef {import('./source.mjs').Source} Source */

/**
 * Replays the numeric columns of a table.
 *
 * @param {string} path
 * @param {boolean} loop
 * @returns {Source}
 */
export function openTable(path, loop) {
  const numeric = readColumns(path).filter(({ values }) => isNumeric(values));
  if (numeric.length === 0) {
    throw new UsageError(`${path}: no column has numbers only, so there is nothing to replay`);
  }
  const columns = numeric.map(({ values }) => Float64Array.from(values, (value) => Number(value ?? NaN)));
  const rows = columns[0].length;
  let next = 0;
  return {
    label: `${basename(path)} (${rows.toLocaleString('en')} rows${loop ? ', repeated' : ''})`,
    fields: fieldNames(numeric.map(({ header }) => header)),
    rate: Infinity,
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
 * Whether the values are numbers, apart from missing ones.
 *
 * @param {readonly unknown[]} values
 * @returns {boolean}
 */
function isNumeric(values) {
  const present = values.filter((value) => value !== undefined);
  return present.length > 0 && present.every((value) => typeof value === 'number');
}
