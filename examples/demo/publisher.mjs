// @ts-check
import { beginRows, mixColumn, prefixSums } from './checksum.mjs';
import { SUM_AFTER, SUM_BEFORE, TIME } from './fields.mjs';

/**
 * @typedef {import('atomic-log').Writer<Record<string, number>>} Writer
 * @typedef {import('./sources/source.mjs').Source} Source
 */

export const BATCH_ROWS = 256;

/** Takes rows from a source, stamps them with their checksums and time, and appends them to the log. */
export class Publisher {
  /** The checksum of all records that were published. */
  checksum = 0;
  #writer;
  #source;
  #now;
  #hashes = new Int32Array(BATCH_ROWS);
  /** The values, as the source fills them in. */
  #values;
  #times = new Float64Array(BATCH_ROWS);
  #before = new Uint32Array(BATCH_ROWS);
  #after = new Uint32Array(BATCH_ROWS);
  /** All columns by name. */
  #batch;

  /**
   * @param {Writer} writer
   * @param {Source} source
   * @param {() => number} now
   */
  constructor(writer, source, now) {
    this.#writer = writer;
    this.#source = source;
    this.#now = now;
    this.#values = source.fields.map(() => new Float64Array(BATCH_ROWS));
    /** @type {Record<string, Float64Array | Uint32Array>} */
    this.#batch = {
      ...Object.fromEntries(source.fields.map((name, i) => [name, this.#values[i]])),
      [TIME]: this.#times,
      [SUM_BEFORE]: this.#before,
      [SUM_AFTER]: this.#after,
    };
  }

  /** How many records were published. */
  get written() {
    return this.#writer.nextIndex;
  }

  /**
   * Publishes up to `count` rows, at most BATCH_ROWS, and returns how many. Fewer come at the end of the data.
   *
   * @param {number} count
   * @returns {number}
   */
  publish(count) {
    const rows = this.#source.fill(this.#values, Math.min(count, BATCH_ROWS));
    if (rows === 0) return 0;
    this.#stamp(rows);
    if (rows === 1) this.#writer.append(this.#firstRow());
    else this.#writer.appendBatch(rows === BATCH_ROWS ? this.#batch : this.#firstRows(rows));
    return rows;
  }

  /**
   * The checksums are computed here, from the source's values, before the log has seen any of them. The time
   * goes last, so that as little work as possible lies between it and the publication.
   *
   * @param {number} rows
   */
  #stamp(rows) {
    beginRows(this.#hashes, this.#writer.nextIndex, rows);
    for (const column of this.#values) mixColumn(this.#hashes, column, rows);
    this.#times.fill(this.#now(), 0, rows);
    mixColumn(this.#hashes, this.#times, rows);
    this.checksum = prefixSums(this.#hashes, rows, this.checksum, this.#before, this.#after);
  }

  /** @returns {Record<string, number>} */
  #firstRow() {
    return Object.fromEntries(Object.entries(this.#batch).map(([name, column]) => [name, column[0]]));
  }

  /**
   * @param {number} rows
   * @returns {Record<string, Float64Array | Uint32Array>}
   */
  #firstRows(rows) {
    return Object.fromEntries(
      Object.entries(this.#batch).map(([name, column]) => [name, column.subarray(0, rows)]),
    );
  }
}
