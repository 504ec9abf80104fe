// @ts-check

/**
 * The means of so many parts of the window, oldest first, read in place. A part without a value is NaN.
 *
 * @param {import('atomic-log').AtomicLog<Record<string, number>>} log
 * @param {string} field
 * @param {number} parts
 * @returns {number[]}
 */
export function windowMeans(log, field, parts) {
  const sums = new Float64Array(parts);
  const counts = new Float64Array(parts);
  const snapshot = log.snapshot();
  try {
    const { firstIndex, length } = snapshot;
    for (const chunk of snapshot.chunks()) {
      const values = /** @type {Float64Array} */ (chunk.column(field));
      const begin = chunk.firstIndex - firstIndex;
      for (let i = 0; i < values.length; ++i) {
        if (Number.isNaN(values[i])) continue;
        const part = Math.floor(((begin + i) * parts) / length);
        sums[part] += values[i];
        ++counts[part];
      }
    }
  } finally {
    snapshot.close();
  }
  return Array.from(sums, (sum, i) => sum / counts[i]);
}
