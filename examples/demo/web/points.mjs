// @ts-check
import { TIME } from '../fields.mjs';

/** Records of a part, which becomes two points, where a batch does not have too few or too many. */
const PART_RECORDS = 64;
const PARTS_MIN = 8;
const PARTS_MAX = 1024;

/**
 * A batch as a message for the browser: float64 of { first index, lost records, points }, the points' times in seconds,
 * then their values. Of each part of the batch it has the lowest and the highest value, so that no peak is missed.
 *
 * @param {import('../polling.mjs').Batch} batch
 * @param {string} field
 * @returns {Float64Array}
 */
export function pointsOf(batch, field) {
  const parts = Math.max(PARTS_MIN, Math.min(PARTS_MAX, batch.length / PART_RECORDS));
  const step = Math.ceil(batch.length / parts);
  /** @type {{ time: number, value: number }[]} */
  const points = [];
  for (const chunk of batch.chunks()) {
    const times = chunk.column(TIME);
    const values = chunk.column(field);
    for (let from = 0; from < values.length; from += step) {
      const [low, high] = extremes(values, from, Math.min(from + step, values.length));
      for (const i of new Set([Math.min(low, high), Math.max(low, high)])) {
        points.push({ time: times[i] / 1e9, value: values[i] });
      }
    }
  }
  return Float64Array.of(
    batch.firstIndex,
    batch.lost,
    points.length,
    ...points.map(({ time }) => time),
    ...points.map(({ value }) => value),
  );
}

/**
 * Where the lowest and the highest value of a part are. NaN is neither, unless there is nothing else.
 *
 * @param {ArrayLike<number>} values
 * @param {number} from
 * @param {number} to
 * @returns {[number, number]}
 */
function extremes(values, from, to) {
  let [low, high] = [from, from];
  for (let i = from + 1; i < to; ++i) {
    if (!(values[i] >= values[low])) low = Number.isNaN(values[i]) ? low : i;
    if (!(values[i] <= values[high])) high = Number.isNaN(values[i]) ? high : i;
  }
  return [low, high];
}
