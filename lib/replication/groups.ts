/** Cuts what a follower delivers into what a target is sent at once. */
import type { WalEntry } from '../durable/wal/entries';

/**
 * Groups of at most so many entries and bytes, or of one batch where that is
 * larger: a batch is never divided, though a delivery may end within one.
 */
export class Groups {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  /** The beginning of a batch whose rest comes next. */
  #held: WalEntry[] = [];

  constructor(entriesMax: number, bytesMax: number) {
    this.#entriesMax = entriesMax;
    this.#bytesMax = bytesMax;
  }

  /** What can be sent, with these entries. */
  *add(delivered: readonly WalEntry[]): IterableIterator<readonly WalEntry[]> {
    const entries = this.#held.length > 0 ? [...this.#held, ...delivered] : delivered;
    let begin = 0;
    /** After the last batch that is whole and fits. */
    let end = 0;
    let bytes = 0;
    let bytesAtEnd = 0;
    for (let at = 0; at < entries.length; ++at) {
      const { lsn, data, batch } = entries[at]!;
      bytes += data.length;
      if (batch !== undefined && lsn !== batch.first + batch.count - 1) continue;
      const isTooMuch = at + 1 - begin > this.#entriesMax || bytes > this.#bytesMax;
      if (isTooMuch && end > begin) {
        yield entries.slice(begin, end);
        begin = end;
        bytes -= bytesAtEnd;
      }
      end = at + 1;
      bytesAtEnd = bytes;
    }
    if (end > begin) yield entries.slice(begin, end);
    this.#held = entries.slice(end);
  }
}
