/** What `forward()` hands entries to, and what there is to say about one that cannot go on. */
import { codeOf, plainError, type ErrorCode } from '../base/errors';
import { withDetails } from '../durable/errors';
import type { WalEntry } from '../durable/wal/entries';
import type { WalError } from '../durable/wal/errors';
import type { WalPosition } from '../durable/wal/position';

/** The last entry that a target has. */
export interface TargetPosition {
  /** Its LSN; 0 stands for none. */
  readonly lsn: number;
  /**
   * What proves that it is the log's entry: the `position` that was sent with it, or
   * the bytes that are stored. It is compared with the log before anything is
   * sent. Without it the target is believed.
   */
  readonly check?: WalPosition | Uint8Array;
  /**
   * Entries before it that are to be compared as well: those that were stored while
   * an entry before them was refused, where the target cannot exclude that
   * something else was stored in its place.
   */
  readonly before?: readonly Omit<TargetPosition, 'before'>[];
}

/** What a call of a target may need. */
export interface TargetCall {
  /** The signal of `ForwardOptions`. */
  readonly signal: AbortSignal | undefined;
}

/**
 * A place that entries are carried to: JetStream, Redis, a database, a socket.
 * Every promise must settle, with an error when the connection is lost. An error with one
 * of the codes `ERR_TARGET_…` ends `forward()`; after any other one it asks for
 * the position again and goes on from there.
 */
export interface ForwardTarget {
  /** The last entry that the target has; undefined when it has none. Asked before the first entry, and after every failure. */
  position(call: TargetCall): Promise<TargetPosition | undefined>;
  /** Is called before the first entry is sent to a target that has none. */
  begin?(lsn: number, call: TargetCall): Promise<unknown>;
  /**
   * Stores entries, which follow those of the call before, and resolves when all
   * of them are acknowledged. Up to `inFlight` calls are under way at once. Batches are whole,
   * unless the first entry lies within one. Copy the data if it is kept for longer.
   */
  send(entries: readonly WalEntry[], call: TargetCall): Promise<unknown>;
  /** Is called when the cursor was moved: entries up to `lsn` are taken for safe. */
  committed?(lsn: number): Promise<unknown>;
  /** Default of the option of this name. */
  readonly batchEntries?: number;
  /** Default of the option of this name. */
  readonly safeAfterMs?: number;
}

/** The codes that end `forward()`. */
export type TargetErrorCode = Extract<ErrorCode, `ERR_TARGET_${string}`>;

const fatal: ReadonlySet<unknown> = new Set<TargetErrorCode>([
  'ERR_TARGET_AHEAD',
  'ERR_TARGET_BEHIND',
  'ERR_TARGET_DIFFERS',
  'ERR_TARGET_REFUSED',
]);

/** Whether trying again cannot help. */
export function isFatal(error: unknown): boolean {
  return fatal.has(codeOf(error));
}

export function targetAhead(lsn: number, lastLsn: number): WalError {
  return withDetails(
    plainError(
      'ERR_TARGET_AHEAD',
      `the target has entry ${lsn}, but the last one of the log is ${lastLsn}; find out whether the log was truncated or ` +
        'restored, or, if this reads the log of a writer that was killed, open the log once; then forward to a target of its own',
    ),
    { lsn, lastLsn },
  );
}

/** `next`: the first entry that it lacks, where that is known to be another one. */
export function targetBehind(lsn: number, firstLsn: number, next = lsn + 1): WalError {
  return withDetails(
    plainError(
      'ERR_TARGET_BEHIND',
      `the target has ${lsn === 0 ? 'no entries' : `entries up to ${lsn}`}, but the log begins with entry ${firstLsn}: entries ` +
        `${next} to ${firstLsn - 1} were checkpointed. Fill the target from a backup; or, to go on without them, begin another ` +
        'one with a new cursor (deleteCursor(), then cursor())',
    ),
    { lsn, firstLsn, lost: { from: next, to: firstLsn - 1 } },
  );
}

export function targetDiffers(lsn: number, how: string, cause?: unknown): WalError {
  return withDetails(
    plainError(
      'ERR_TARGET_DIFFERS',
      `the target's entry ${lsn} is not the log's: ${how}; the log was truncated or restored, or another writer uses ` +
        'the target: nothing was overwritten. Forward to a target of its own',
      cause,
    ),
    { lsn },
  );
}

/** What the target does not take, and why. */
export function targetRefused(why: string, cause?: unknown, lsn?: number): WalError {
  return withDetails(plainError('ERR_TARGET_REFUSED', why, cause), lsn === undefined ? {} : { lsn });
}
