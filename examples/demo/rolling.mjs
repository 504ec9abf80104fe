// @ts-check

/**
 * Statistics of one column over the window. NaN stands for a missing value and is left out; with no value at
 * all the figures are NaN.
 *
 * @typedef {{ count: number, mean: number, min: number, max: number, stddev: number }} ColumnStatistics
 */

/**
 * Statistics of some columns over what the log holds now, read in place.
 *
 * @param {import('atomic-log').AtomicLog<Record<string, number>>} log
 * @param {readonly string[]} fields
 * @returns {Record<string, ColumnStatistics>} By field.
 */
export function rollingStatistics(log, fields) {
  const snapshot = log.snapshot();
  try {
    const chunks = snapshot.chunks();
    return Object.fromEntries(
      fields.map((name) => [
        name,
        columnStatistics(chunks.map((chunk) => /** @type {Float64Array} */ (chunk.column(name)))),
      ]),
    );
  } finally {
    snapshot.close();
  }
}

/**
 * @param {readonly Float64Array[]} parts
 * @returns {ColumnStatistics}
 */
function columnStatistics(parts) {
  // Sums of differences from a typical value keep the precision that sums of large squares would lose.
  const origin = firstNumber(parts);
  let count = 0;
  let sum = 0;
  let squares = 0;
  let min = Infinity;
  let max = -Infinity;
  for (const values of parts) {
    for (let i = 0; i < values.length; ++i) {
      const value = values[i];
      if (value !== value) continue;
      const difference = value - origin;
      ++count;
      sum += difference;
      squares += difference * difference;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  if (count === 0) return { count, mean: NaN, min: NaN, max: NaN, stddev: NaN };
  const variance = (squares - (sum * sum) / count) / count;
  return { count, mean: origin + sum / count, min, max, stddev: Math.sqrt(Math.max(0, variance)) };
}

/**
 * @param {readonly Float64Array[]} parts
 * @returns {number}
 */
function firstNumber(parts) {
  for (const values of parts) {
    const value = values.find((candidate) => !Number.isNaN(candidate));
    if (value !== undefined) return value;
  }
  return NaN;
}
