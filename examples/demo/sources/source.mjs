// @ts-check
import { sampleFile } from './sample-file.mjs';
import { openSystem } from './system.mjs';
import { openTable } from './table.mjs';

/**
 * Where the records come from.
 *
 * @typedef {object} Source
 * @property {string} label For people.
 * @property {readonly string[]} fields Legal and distinct names of the columns.
 * @property {readonly string[]} leftOut Columns of the data that are not replayed, each with the reason.
 * @property {number} rate Records per second that suit the source.
 * @property {(columns: readonly Float64Array[], count: number) => number} fill Puts up to `count` rows at the
 *   start of the columns and returns how many; fewer only at the end of the data.
 * @property {() => void} close
 */

/**
 * @param {Pick<import('../options.mjs').DemoOptions, 'file' | 'sample' | 'loop'>} options
 * @returns {Source}
 */
export function openSource({ file, sample, loop = false }) {
  if (file !== undefined) return openTable(file, loop);
  return sample ? openTable(sampleFile, loop) : openSystem();
}
