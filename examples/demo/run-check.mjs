// @ts-check
import { beginRows, mixColumn } from './checksum.mjs';
import { SUM_AFTER, SUM_BEFORE, TIME } from './fields.mjs';

/**
 * @typedef {import('./polling.mjs').Batch} Batch
 * @typedef {import('./polling.mjs').Part} Part
 */

/** Counts what a reader sees and loses, and compares every record with the writer's checksums. */
export class RunCheck {
  /** Absolute index of the first record that was to be read. @type {number | undefined} */
  from;
  seen = 0;
  lost = 0;
  /** Contiguous runs of records: one, and one more for each gap. */
  runs = 0;
  mismatches = 0;
  /** Absolute index of the first record that is not what the writer published. */
  firstMismatch = -1;
  /** Index after the last record that was seen. */
  nextIndex = 0;
  /** The reader's own checksum: the writer's before the run began, plus what the run's records add to it. */
  checksum = 0;
  /** After a gap. The checksum of the first run begins at 0; that of any other begins where the writer's was. */
  #isAfterGap = false;
  #hashed;
  #hashes;

  /**
   * @param {readonly string[]} fields
   * @param {number} partRowsMax
   * @param {number} [from] Default: where its first batch begins.
   */
  constructor(fields, partRowsMax, from) {
    this.from = from;
    this.nextIndex = from ?? 0;
    this.#hashed = [...fields, TIME];
    this.#hashes = new Int32Array(partRowsMax);
  }

  /**
   * To be called before the batch's parts are read.
   *
   * @param {Pick<Batch, 'firstIndex' | 'lost'>} batch
   */
  beginBatch({ firstIndex, lost }) {
    this.from ??= this.nextIndex = firstIndex - lost;
    this.lost += lost;
    // A gap in the indexes that was not reported as lost would be a fault of its own.
    if (firstIndex !== this.nextIndex + lost) this.#mismatch(firstIndex);
    // The checksum before the first record of all is 0; that before any other is the writer's.
    this.#isAfterGap = lost > 0 || (this.runs === 0 && firstIndex > 0);
    if (this.runs === 0 || lost > 0) ++this.runs;
    this.nextIndex = firstIndex;
  }

  /** @param {Part} part */
  readPart(part) {
    if (part.firstIndex !== this.nextIndex) this.#mismatch(part.firstIndex);
    beginRows(this.#hashes, part.firstIndex, part.length);
    for (const name of this.#hashed) {
      mixColumn(this.#hashes, /** @type {Float64Array} */ (part.column(name)), part.length);
    }
    this.#compare(part);
    this.seen += part.length;
    this.nextIndex = part.firstIndex + part.length;
  }

  /** @param {Part} part */
  #compare(part) {
    const hashes = this.#hashes;
    const before = part.column(SUM_BEFORE);
    const after = part.column(SUM_AFTER);
    let sum = this.#isAfterGap ? before[0] : this.checksum;
    this.#isAfterGap = false;
    for (let i = 0; i < part.length; ++i) {
      const isSame = before[i] === sum;
      sum = (sum + hashes[i]) >>> 0;
      if (isSame && after[i] === sum) continue;
      this.#mismatch(part.firstIndex + i);
      // Go on from the writer's checksum, or every later record would be reported too.
      sum = after[i];
    }
    this.checksum = sum;
  }

  /** @param {number} index */
  #mismatch(index) {
    if (this.mismatches++ === 0) this.firstMismatch = index;
  }
}
