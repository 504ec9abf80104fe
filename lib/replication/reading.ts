/** What readers of a stream that forward() fills have in common. */
import { checkSignal } from '../base/abort';
import { checkInteger } from '../base/checks';
import { codeOf, plainError, rangeError, type ErrorCode } from '../base/errors';
import { withDetails } from '../durable/errors';
import type { WalEntry } from '../durable/wal/entries';
import type { WalError } from '../durable/wal/errors';
import { checkFrom, type Past, type WalPosition } from '../durable/wal/position';
import { checkCallback, Retries, type OnRetry, type Retry } from './retry';
import { batchOf, isLastOfBatch, textOfBatch } from './stamp';

/** How a stream is read, whatever it is a stream of. */
export interface ReadOptions {
  /**
   * Where to begin: `'oldest'` (default), `'latest'`, an LSN, or the position of an
   * entry, for what comes after that one.
   */
  from?: 'oldest' | 'latest' | number | WalPosition;
  /** Ends the iteration: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Entries that are delivered, or asked for, at once, if so many are there; a larger batch is delivered whole. Default: 256. */
  batchEntries?: number;
  /** How long an answer is waited for, in milliseconds. Default: 5000. */
  timeoutMs?: number;
  /**
   * Is called for each failure that is tried again: a server or stream that is not there, one that has lost entries and is
   * filled again. What it throws, or rejects with, ends the iteration: the way to give up.
   */
  onRetry?: (error: unknown, retry: Retry) => void;
}

export interface CheckedRead {
  readonly from: 'oldest' | 'latest' | number | Past;
  readonly signal: AbortSignal | undefined;
  readonly batchEntries: number;
  readonly timeoutMs: number;
  readonly onRetry: OnRetry | undefined;
}

export const readNames = ['from', 'signal', 'batchEntries', 'timeoutMs', 'onRetry'] as const;

/** The longest time that a timer takes. */
const MS_MAX = 2 ** 31 - 1;

export function checkTimeout(timeoutMs: unknown): number {
  return checkInteger('options.timeoutMs', timeoutMs, 1, MS_MAX);
}

export function checkRead(options: { [Name in keyof ReadOptions]: unknown }): CheckedRead {
  const { from = 'oldest', signal, batchEntries = 256, timeoutMs = 5000, onRetry } = options;
  return {
    from:
      from === 'oldest' || from === 'latest'
        ? from
        : checkFrom('options.from', from, 1, "'oldest', 'latest', "),
    signal: checkSignal(signal),
    batchEntries: checkInteger('options.batchEntries', batchEntries, 1, 2 ** 20),
    timeoutMs: checkTimeout(timeoutMs),
    onRetry: checkCallback('options.onRetry', onRetry),
  };
}

/** Until a reader asks again, after what went wrong. */
const AGAIN_MS = 250;

/** The pauses of a reader after what went wrong. */
export function retriesOf({ onRetry, signal }: CheckedRead): Retries {
  return new Retries(AGAIN_MS, onRetry, signal);
}

/** What reading again would say again. */
const final: ReadonlySet<unknown> = new Set<ErrorCode>([
  'ERR_ENTRIES_LOST',
  'ERR_TRUNCATED',
  'ERR_FOREIGN_POSITION',
  'ERR_CORRUPT',
]);

export function isFinal(error: unknown): boolean {
  return final.has(codeOf(error));
}

/** After a power failure of the server, a stream is filled again; until then nothing can be said of it. */
export function isRefilled(stream: string, lsn: number): Error {
  return new Error(`stream ${stream} ends before entry ${lsn}, which was read: it is filled again`);
}

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

/** The stream ends before the last entry that was read. */
export function streamEnds(stream: string, lsn: number, lastLsn: number): WalError {
  return withDetails(
    plainError(
      'ERR_TRUNCATED',
      `stream ${stream} ends with ${lastLsn === 0 ? 'nothing' : `entry ${lastLsn}`}, before entry ${lsn}, which was read. If its server has ` +
        'lost entries, forward() sends them again: try again then. If the log was truncated, undo what was made of the entries after ' +
        `${lastLsn}, then read again from the beginning`,
    ),
    { lsn, lastLsn },
  );
}

export function notForwarded(stream: string, lsn: number, how: string): WalError {
  return withDetails(
    plainError('ERR_CORRUPT', `message ${lsn} of stream ${stream} ${how}; give the log a stream of its own`),
    { lsn },
  );
}

/** Whether something has come between these two: a truncation, or another life of the log. */
export function isElsewhere(last: Past | undefined, next: Past | undefined): last is Past {
  return last !== undefined && (last.epoch !== next?.epoch || last.branch !== next.branch);
}

/** What the text of a batch says of its message. */
export function batchIn(stream: string, lsn: number, text: string): NonNullable<WalEntry['batch']> {
  const batch = batchOf(text, lsn);
  if (batch === undefined)
    throw notForwarded(stream, lsn, `names a batch that it is not in: ${JSON.stringify(text)}`);
  return batch;
}

/** Whole batches of what was read; of one that the log was truncated in, what is left. */
export class Whole {
  readonly #stream: string;
  #held: WalEntry[] = [];
  /** How many of those are whole batches. */
  length = 0;

  constructor(stream: string) {
    this.#stream = stream;
  }

  add(entry: WalEntry): void {
    const { lsn, batch } = entry;
    const held = this.#held;
    if (held.length > this.length && batch?.first !== held.at(-1)!.batch?.first) {
      // Appended at once, it cannot begin among what was read before.
      if (batch !== undefined && batch.first < lsn)
        throw notForwarded(this.#stream, lsn, `names a batch within another one: ${textOfBatch(batch)}`);
      this.length = held.length;
    }
    held.push(entry);
    if (isLastOfBatch(entry)) this.length = held.length;
  }

  take(): WalEntry[] {
    const { length } = this;
    this.length = 0;
    return this.#held.splice(0, length);
  }
}
