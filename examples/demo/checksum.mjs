// @ts-check

/**
 * The checksum of a log is the sum of the hashes of its rows modulo 2^32. Because it is a sum, the rows of any
 * contiguous run can be verified on their own: the checksum after the run minus the one before it.
 *
 * The hash of a row mixes its index and the bits of its columns, one column after the other. It is computed
 * column by column for many rows at once, because that is how both the writer and the log hold the rows.
 */

/**
 * Begins the hashes of `count` rows. The index takes part, so rows that change places are noticed.
 *
 * @param {Int32Array} hashes
 * @param {number} firstIndex
 * @param {number} count
 */
export function beginRows(hashes, firstIndex, count) {
  const low = firstIndex | 0;
  for (let i = 0; i < count; ++i) hashes[i] = Math.imul((low + i) | 0, 0x9e3779b1);
}

/**
 * Mixes the bits of one column into the hashes of its rows.
 *
 * @param {Int32Array} hashes
 * @param {Float64Array} column
 * @param {number} count
 */
export function mixColumn(hashes, column, count) {
  const bits = new Int32Array(column.buffer, column.byteOffset, count * 2);
  for (let i = 0; i < count; ++i) {
    let hash = hashes[i] ^ bits[2 * i];
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ bits[2 * i + 1];
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hashes[i] = hash ^ (hash >>> 16);
  }
}

/**
 * Turns the hashes of rows into the checksums before and after each of them, starting from `sum`. Returns the
 * last one.
 *
 * @param {Int32Array} hashes
 * @param {number} count
 * @param {number} sum
 * @param {Uint32Array} before
 * @param {Uint32Array} after
 * @returns {number}
 */
export function prefixSums(hashes, count, sum, before, after) {
  let low = sum | 0;
  for (let i = 0; i < count; ++i) {
    before[i] = low;
    low = (low + hashes[i]) | 0;
    after[i] = low;
  }
  return low >>> 0;
}
