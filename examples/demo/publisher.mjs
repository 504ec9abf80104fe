// @ts-check
import { createHistogram } from 'node:perf_hooks';
import { beginRows, mixColumn, prefixSums } from './checksum.mjs';
import { SUM_AFTER, SUM_BEFORE, TIME } from './fields.mjs';
import { messageOf } from './messages.mjs';

/**
 * @typedef {import('atomic-log').Writer<Record<string, number>>} Writer
 * @typedef {import('./sources/source.mjs').Source} Source
 * @typedef {import('./reader-thread.mjs').ReaderThread} ReaderThread
 */

export const BATCH_ROWS = 256;

/** Takes rows from a source, stamps them with their checksums and time, and appends them to the log. */
export class Publisher {
  /** The checksum of all records that were published. */
  checksum = 0;
  #cost = { log: createHistogram(), messages: createHistogram() };
  #writer;
  #source;
  #now;
  #receivers;
  #hashes = new Int32Array(BATCH_ROWS);
  /** The values, as the source fills them in. */
  #values;
  #times = new Float64Array(BATCH_ROWS);
  #before = new Uint32Array(BATCH_ROWS);
  #after = new Uint32Array(BATCH_ROWS);
  /** All columns by name. */
  #batch;
  #names;
  #columns;
  /** @type {Record<string, number>} */
  #record;

  /**
   * @param {Writer} writer
   * @param {Source} source
   * @param {() => number} now
   * @param {readonly ReaderThread[]} receivers Get the same records by `postMessage`.
   */
  constructor(writer, source, now, receivers) {
    this.#writer = writer;
    this.#source = source;
    this.#now = now;
    this.#receivers = receivers;
    this.#values = source.fields.map(() => new Float64Array(BATCH_ROWS));
    /** @type {Record<string, Float64Array | Uint32Array>} */
    this.#batch = {
      ...Object.fromEntries(source.fields.map((name, i) => [name, this.#values[i]])),
      [TIME]: this.#times,
      [SUM_BEFORE]: this.#before,
      [SUM_AFTER]: this.#after,
    };
    this.#names = Object.keys(this.#batch);
    this.#columns = Object.values(this.#batch);
    this.#record = Object.fromEntries(this.#names.map((name) => [name, 0]));
  }

  /** How many records were published. */
  get written() {
    return this.#writer.nextIndex;
  }

  /**
   * Nanoseconds that a record has cost this thread so far, with everything that the log and the messages ask of it;
   * null when there was none. Of all publications the tenth percentile: on a busy machine, those that wake a thread
   * are often interrupted by it, and what that thread does then is no cost of either.
   */
  get costNs() {
    const { log, messages } = this.#cost;
    return { log: undisturbed(log), messages: undisturbed(messages) };
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
    const firstIndex = this.written;
    this.#stamp(rows);
    const start = this.#now();
    if (rows === BATCH_ROWS) this.#writer.appendBatch(this.#batch);
    else this.#append(rows);
    const appended = this.#now();
    record(this.#cost.log, (appended - start) / rows);
    if (this.#receivers.length === 0) return rows;
    const message = messageOf(this.#columns, rows, firstIndex, appended);
    for (const receiver of this.#receivers) receiver.post(message);
    record(this.#cost.messages, (this.#now() - appended) / rows);
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

  /**
   * Few rows are cheaper as records than as columns: one object is enough for all of them.
   *
   * @param {number} rows
   */
  #append(rows) {
    const [names, columns, record] = [this.#names, this.#columns, this.#record];
    for (let row = 0; row < rows; ++row) {
      for (let i = 0; i < names.length; ++i) record[names[i]] = columns[i][row];
      this.#writer.write(record);
    }
    this.#writer.publish();
  }
}

/**
 * @param {import('node:perf_hooks').RecordableHistogram} histogram
 * @param {number} ns
 */
function record(histogram, ns) {
  // It takes no values below 1.
  histogram.record(Math.max(1, Math.round(ns)));
}

/** @param {import('node:perf_hooks').RecordableHistogram} histogram */
function undisturbed(histogram) {
  return histogram.count === 0 ? null : histogram.percentile(10);
}
