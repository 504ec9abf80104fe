/** What `forward()` is asked for: options and targets, checked. */
import { checkSignal } from '../base/abort';
import { checkAmount, checkInteger, checkObject, optionsOf } from '../base/checks';
import { invalidType, outOfRange } from '../base/errors';
import type { WalPosition } from '../durable/wal/position';
import type { WalReader } from '../durable/wal/reader';
import type { Wal } from '../durable/wal/wal';
import { checkCallback, type Retry } from './retry';
import type { ForwardTarget } from './target';

/** What remembers, next to the log, which entries are safe in the target. */
export interface ForwardCursor {
  /** Of the last entry that is safe; undefined while there is none. */
  readonly position: WalPosition | undefined;
  /** LSN of the entry after it; before the first commit, of the one that it begins with. */
  readonly nextLsn?: number;
  /**
   * Earlier positions too, when the target has lost entries. `ERR_NOT_DURABLE` and
   * `ERR_LOCKED` are tried again, after `ERR_TRUNCATED` the target is asked, and
   * `ERR_CHECKPOINTED` is passed over: a later entry is committed. Other errors end `forward()`.
   */
  commit(position: WalPosition): Promise<unknown>;
}

/** How far `forward()` is; each is an LSN, 0 before the first entry. */
export interface ForwardProgress {
  /** Entries up to here were handed to the target. */
  readonly sent: number;
  /** Entries up to here are acknowledged; after a loss at the target, less than before. */
  readonly acknowledged: number;
  /** Entries up to here are committed to the cursor. */
  readonly committed: number;
  /** How many entries that can be forwarded are not acknowledged yet. */
  readonly lag: number;
}

/** How entries are carried to a target. */
export interface ForwardOptions {
  /** Where they go. */
  target: ForwardTarget;
  /**
   * A cursor of the log, moved to the last entry that is safe, so that a checkpoint
   * keeps what is not. Without one nothing is remembered here; the target alone says where to go on.
   */
  cursor?: ForwardCursor;
  /** How many calls of `target.send()` may be under way. Default: 8. */
  inFlight?: number;
  /** Entries of one such call; a larger batch goes in one all the same. Default: what the target says, otherwise 256. */
  batchEntries?: number;
  /** Bytes of one such call; a larger entry or batch goes in one all the same. Default: 256 KiB. */
  batchBytes?: number;
  /**
   * How long an entry must have been acknowledged before the cursor moves past it, in
   * milliseconds: until the target is sure to have synced it. Default: what the target says, otherwise 0.
   */
  safeAfterMs?: number;
  /** Milliseconds to wait after the first failure; twice as many after each further one; between half of that and all of it at random. Default: 50. */
  retryMs?: number;
  /** The longest such wait. Default: 2000. */
  retryMsMax?: number;
  /** Ends it: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Is called when `acknowledged` or `committed` has changed. What it throws, or rejects with, ends `forward()`. */
  onProgress?: (progress: ForwardProgress) => void;
  /** Is called for each failure that is tried again. What it throws, or rejects with, ends `forward()`: the way to give up. */
  onRetry?: (error: unknown, retry: Retry) => void;
}

export interface CheckedForward {
  readonly target: ForwardTarget;
  readonly cursor: ForwardCursor | undefined;
  readonly inFlight: number;
  readonly batchEntries: number;
  readonly batchBytes: number;
  readonly safeAfterMs: number;
  readonly retryMs: number;
  readonly retryMsMax: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ForwardOptions['onProgress'];
  readonly onRetry: ForwardOptions['onRetry'];
}

const names = [
  'target',
  'cursor',
  'inFlight',
  'batchEntries',
  'batchBytes',
  'safeAfterMs',
  'retryMs',
  'retryMsMax',
  'signal',
  'onProgress',
  'onRetry',
] as const;

const COUNT_MAX = 2 ** 20;
const BYTES_MAX = 2 ** 30;
/** What a timer takes. */
const MS_MAX = 2 ** 31 - 1;

function checkMethods<T>(what: string, value: unknown, methods: readonly (keyof T & string)[]): T {
  const object = checkObject(what, value);
  for (const method of methods)
    if (typeof object[method] !== 'function')
      throw invalidType(`${what}.${method}`, 'a function', object[method]);
  return object as T;
}

function checkMs(what: string, value: unknown): number {
  const ms = checkAmount(what, value, 'milliseconds');
  if (ms > MS_MAX) throw outOfRange(what, `at most ${MS_MAX} milliseconds`, value);
  return ms;
}

/** A log that can be forwarded: by its writer, or by a reader. */
export function checkSource(source: unknown): Wal | WalReader {
  return checkMethods<Wal | WalReader>('source', source, ['follow', 'entries', 'get']);
}

export function checkForward(options: unknown): CheckedForward {
  const given = optionsOf('options', options, names);
  const { cursor, inFlight = 8, batchBytes = 1 << 18, retryMs = 50, retryMsMax = 2000 } = given;
  const target = checkMethods<ForwardTarget>('options.target', given.target, ['position', 'send']);
  const { batchEntries = target.batchEntries ?? 256, safeAfterMs = target.safeAfterMs ?? 0 } = given;
  return {
    target,
    cursor:
      cursor === undefined ? undefined : checkMethods<ForwardCursor>('options.cursor', cursor, ['commit']),
    inFlight: checkInteger('options.inFlight', inFlight, 1, COUNT_MAX),
    batchEntries: checkInteger('options.batchEntries', batchEntries, 1, COUNT_MAX),
    batchBytes: checkInteger('options.batchBytes', batchBytes, 1, BYTES_MAX),
    safeAfterMs: checkMs('options.safeAfterMs', safeAfterMs),
    retryMs: checkMs('options.retryMs', retryMs),
    retryMsMax: checkMs('options.retryMsMax', retryMsMax),
    signal: checkSignal(given.signal),
    onProgress: checkCallback('options.onProgress', given.onProgress),
    onRetry: checkCallback('options.onRetry', given.onRetry),
  };
}
