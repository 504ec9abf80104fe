/** The one thing that the room of journaled logs gives to a writer. */
import type { Columns } from './batch';
import type { Column } from './mapping';

/** What a writer gives its entries to before anyone can read them. */
export interface EntryJournal {
  /** Throws when it would never take the entry at the position, not even by itself. */
  check(columns: readonly Column[], position: number): void;
  /** The same for a batch that is not stored yet: throws when it would never take one of its entries. */
  checkBatch(batch: Columns): void;
  /**
   * Takes entries of the head, whose columns are given, from position `from` on, where the entry with the absolute
   * index `index` is: at least one, and none from `to` on. Returns the position after the last one that it took. What
   * it throws refuses all of them.
   */
  take(columns: readonly Column[], from: number, to: number, index: number): number;
}
