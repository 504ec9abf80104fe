// @ts-check
// An entry says which one it is, and has a filling that follows from it: what is read is either the whole of it or not it.

export const ENTRY_BYTES = 128;

/**
 * @param {number} lsn
 * @returns {Buffer}
 */
export function entryOf(lsn) {
  const entry = Buffer.alloc(ENTRY_BYTES, lsn % 251);
  entry.writeDoubleLE(lsn);
  return entry;
}

/**
 * @param {number} lsn
 * @param {Buffer} data
 * @returns {boolean}
 */
export function isEntryOf(lsn, data) {
  return data.equals(entryOf(lsn));
}
