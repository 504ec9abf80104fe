/** What readers of a stream that forward() fills have in common. */
import { plainError, rangeError, type ErrorCode } from '../base/errors';
import { withDetails } from '../durable/errors';
import type { WalEntry } from '../durable/wal/entries';
import type { WalError } from '../durable/wal/errors';

/** Until a reader asks again, after what went wrong. */
export const AGAIN_MS = 250;

/** What reading again would say again. */
export const final: ReadonlySet<unknown> = new Set<ErrorCode>([
  'ERR_ENTRIES_LOST',
  'ERR_TRUNCATED',
  'ERR_FOREIGN_POSITION',
  'ERR_CORRUPT',
]);

export function entriesLost(stream: string, lsn: number, firstLsn: number): WalError {
  return withDetails(
    rangeError(
      'ERR_ENTRIES_LOST',
      `stream ${stream} does not have entries ${lsn} to ${firstLsn - 1} any more, after a purge, its limits or a deletion; ` +
        `restore from a backup, or go on from ${firstLsn} without them`,
    ),
    { lsn, firstLsn },
  );
}

export function otherPast(stream: string, lsn: number, found: string): WalError {
  return withDetails(
    plainError(
      'ERR_TRUNCATED',
      `stream ${stream} has another entry ${lsn} than the one that was read (${found}); undo what was made of the ` +
        'entries up to there, then read again from the beginning',
    ),
    { lsn },
  );
}

export function notForwarded(stream: string, lsn: number, how: string): WalError {
  return withDetails(
    plainError('ERR_CORRUPT', `message ${lsn} of stream ${stream} ${how}; give the log a stream of its own`),
    { lsn },
  );
}

/** Whole batches of what was read. */
export class Whole {
  #held: WalEntry[] = [];
  /** How many of those are whole batches. */
  length = 0;

  add(entry: WalEntry): void {
    const { lsn, batch } = entry;
    this.#held.push(entry);
    if (batch === undefined || lsn === batch.first + batch.count - 1) this.length = this.#held.length;
  }

  take(): WalEntry[] {
    const { length } = this;
    this.length = 0;
    return this.#held.splice(0, length);
  }
}
