/** Cuts what a follower delivers into what a target is sent at once. */
import type { WalEntry } from '../durable/wal/entries';
import { isLastOfBatch } from './stamp';

/** Whether the rest of its batch was truncated. */
function isCut({ lsn, batch }: WalEntry, next: WalEntry | undefined, lastLsn: number): boolean {
  return next === undefined ? lsn === lastLsn : next.batch?.first !== batch?.first;
}

function asBatch(entries: readonly WalEntry[]): WalEntry[] {
  const { batch, lsn: last } = entries.at(-1)!;
  const { first } = batch!;
  const left = { first, count: last - first + 1 };
  return entries.map(({ lsn, data, position }) => ({ lsn, data, position, batch: left }));
}

/**
 * Groups of at most so many entries and bytes, or of one batch where that is
 * larger: a batch is never divided, though a delivery may end within one. What a
 * truncation has left of a batch is one of its own, so that no reader waits for the rest.
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

  /** What can be sent, with these entries; `lastLsn` is that of the log, which never ends within a batch that comes whole. */
  *add(delivered: readonly WalEntry[], lastLsn: number): IterableIterator<readonly WalEntry[]> {
    let entries = this.#held.length > 0 ? [...this.#held, ...delivered] : delivered;
    let begin = 0;
    /** After the last batch that is whole and fits. */
    let end = 0;
    let bytes = 0;
    let bytesAtEnd = 0;
    for (let at = 0; at < entries.length; ++at) {
      const entry = entries[at]!;
      bytes += entry.data.length;
      if (!isLastOfBatch(entry)) {
        if (!isCut(entry, entries[at + 1], lastLsn)) continue;
        entries = [
          ...entries.slice(0, end),
          ...asBatch(entries.slice(end, at + 1)),
          ...entries.slice(at + 1),
        ];
      }
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
