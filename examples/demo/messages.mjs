// @ts-check

/**
 * The same records as messages, which the demo compares the log with: one message for each publication and each
 * reader. It has the columns one after the other in one array, so that there is one piece of memory to clone: no
 * message of these records costs its sender less.
 *
 * @typedef {object} RecordsMessage
 * @property {number} firstIndex
 * @property {number} length
 * @property {number} sentAt By the clock that all threads share.
 * @property {Float64Array} values Column by column, in the order of the names.
 */

/**
 * @param {readonly ArrayLike<number>[]} columns
 * @param {number} length
 * @param {number} firstIndex
 * @param {number} sentAt
 * @returns {RecordsMessage}
 */
export function messageOf(columns, length, firstIndex, sentAt) {
  const values = new Float64Array(columns.length * length);
  columns.forEach((column, i) => {
    const at = i * length;
    for (let row = 0; row < length; ++row) values[at + row] = column[row];
  });
  return { firstIndex, length, sentAt, values };
}

/**
 * The message as a part of a batch: what a reader of the log gets.
 *
 * @param {RecordsMessage} message
 * @param {readonly string[]} names
 * @returns {import('./polling.mjs').Part}
 */
export function partOf({ firstIndex, length, values }, names) {
  return {
    firstIndex,
    length,
    column(name) {
      const at = names.indexOf(name) * length;
      return values.subarray(at, at + length);
    },
  };
}
