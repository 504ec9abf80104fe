/** Which acknowledged entries were acknowledged long enough ago. */
import type { WalPosition } from '../durable/wal/position';

/** An entry up to which all are safe. */
export interface SafeMark {
  readonly lsn: number;
  readonly position: WalPosition;
}

interface Mark {
  lsn: number;
  position: WalPosition;
  /** When the last entry up to here was acknowledged. */
  at: number;
  readonly since: number;
}

/** Of the time that entries wait: more acknowledgements than this share a mark. */
const MARKS = 32;

/**
 * Acknowledged entries in order, as a few marks: an entry may wait longer than asked for by
 * a thirty-second part, never shorter.
 */
export class SafeMarks {
  readonly #afterMs: number;
  readonly #marks: Mark[] = [];

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** Entries up to this one are acknowledged. */
  add(lsn: number, position: WalPosition, at: number): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && at - last.since <= this.#afterMs / MARKS)
      Object.assign(last, { lsn, position, at });
    else this.#marks.push({ lsn, position, at, since: at });
  }

  /** Entries after `lsn` are not there any more. */
  dropAfter(lsn: number): void {
    while ((this.#marks.at(-1)?.lsn ?? 0) > lsn) this.#marks.pop();
  }

  /** Milliseconds from `at` until there is something to take; undefined when nothing waits. */
  dueIn(at: number): number | undefined {
    const first = this.#marks[0];
    return first === undefined ? undefined : Math.max(first.at + this.#afterMs - at, 0);
  }

  /** The last of those that have waited long enough. */
  take(at: number): SafeMark | undefined {
    let taken: Mark | undefined;
    while (this.dueIn(at) === 0) taken = this.#marks.shift();
    return taken;
  }

  /** What was taken, to be taken again. */
  putBack(mark: SafeMark): void {
    this.#marks.unshift({ ...mark, at: -Infinity, since: -Infinity });
  }
}
