/** What a log and its checkpoints are asked for: options, checked. */
import {
  WAL_BODY_BYTES_MAX,
  WAL_FILE_BYTES_MAX,
  WAL_FILE_BYTES_MIN,
  WAL_LSN_MAX,
  WAL_METADATA_BYTES_MAX,
  WalLevel,
} from '../../base/codes';
import { AsyncResource } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

import type { NativeWalOptions } from '../../../types/native';
import { checkSignal } from '../../base/abort';
import { checkBytes, checkChoice, checkFlag, NO_BYTES, optionsOf } from '../../base/checks';
import { invalidType, outOfRange, typeError } from '../../base/errors';
import { checkOffset, checkPath } from '../options';

/**
 * What has happened when an append is acknowledged: the disk has it (`'full'`),
 * the system has it, so that it survives this process (`'os'`), or it only has
 * its place in the log (`'none'`).
 */
export type Durability = 'full' | 'os' | 'none';

/** When appends that wait together are committed. At once, unless `waitUs` says to wait for more. */
export interface CommitPolicy {
  /** Microseconds to wait for more. Default: 0. */
  waitUs?: number;
  /** Entries that end the wait. */
  count?: number;
  /** Bytes that end the wait. */
  bytes?: number;
}

/** A file of a log. */
export interface WalFile {
  readonly path: string;
  readonly number: number;
  /** LSN of its first entry. */
  readonly firstLsn: number;
  /** LSN of its last entry; `firstLsn - 1` when it has none. */
  readonly lastLsn: number;
  readonly bytes: number;
}

/** How a log is opened. */
export interface WalOptions {
  /** Bytes of each file that is made. Default: those of the log's files, and 64 MiB for a new log. */
  segmentBytes?: number;
  /** Entries may have so many bytes. Default: what a file takes, but 16 MiB at most. */
  entryBytesMax?: number;
  /** When appends are acknowledged. Default: `'full'`. */
  durability?: Durability;
  commit?: CommitPolicy;
  /** When appends of more bytes are under way, the next one commits them before it returns. Default: 64 MiB. */
  bytesInFlightMax?: number;
  /** LSN of the first entry of a log that is created. Default: 1. */
  firstLsn?: number;
  /** Up to 3988 bytes of your own, kept in a log that is created. */
  metadata?: Uint8Array;
  /**
   * Drop the oldest files, a file at a time, while all together use more
   * bytes than this: counted up to the end of what was written to each, not by
   * its length. The newest file stays, and so does what a cursor still needs. They are
   * dropped off this thread, in the order of the calls; in a long synchronous run on it.
   */
  retainBytes?: number;
  /** Refuse a log with a torn last record, instead of quarantining it. */
  strictTail?: boolean;
  /** Read the records of all files, not of the newest only; as many files at a time as there are cores. */
  verifyOnOpen?: boolean;
  /**
   * A file is complete and will not change again; to archive it, for example. It
   * is called for each file once, oldest first, soon after the call that completed
   * it and before {@link Wal.close} resolves; and after opening for every file that
   * is there already, because the process that completed it may have been killed
   * before it could say so. No file is deleted before it was announced.
   *
   * It is not waited for when it returns a promise. When it throws, the file
   * stays, and it is called again when the next one is complete; {@link onError}
   * is told.
   */
  onSegmentSealed?: (file: WalFile) => void;
  /**
   * A checkpoint is about to delete the file. When this throws, nothing is
   * deleted, and it may be called for the same file again: {@link Wal.checkpoint}
   * rejects with what it throws; of `retainBytes`, {@link onError} is told, and it is
   * tried again with the next file.
   */
  beforeDelete?: (file: WalFile) => void;
  /**
   * A hook has thrown, or a checkpoint for `retainBytes` has failed, where no call
   * of yours could tell; files are kept that would have gone. Default: one warning
   * of the process for the log.
   *
   * All three run in the AsyncLocalStorage context of the call that opened the log.
   */
  onError?: (error: unknown, file: WalFile) => void;
  /**
   * Of `open()` alone, not of `openSync()`: wait while another writer has the log, as the process before this one may at a
   * restart, instead of `ERR_LOCKED`. Looks every 25 ms, and keeps the process alive meanwhile. Default: false.
   */
  wait?: boolean;
  /** With `wait: true`: ends the waiting, as `AbortSignal.timeout(30_000)` does. What is being opened by then is opened. */
  signal?: AbortSignal;
}

/** How far a checkpoint may go. */
export interface WalCheckpointOptions {
  /** Drop what cursors still need, too. Each is told of it when it is opened. */
  force?: boolean;
}

export interface CheckedWalOptions {
  readonly path: string;
  readonly level: WalLevel;
  readonly entryBytesMax: number;
  readonly bytesInFlightMax: number;
  readonly retainBytes: number;
  readonly onSegmentSealed: ((file: WalFile) => void) | undefined;
  readonly beforeDelete: ((file: WalFile) => void) | undefined;
  readonly onError: ((error: unknown, file: WalFile) => void) | undefined;
  readonly wait: boolean;
  readonly signal: AbortSignal | undefined;
  /** Of the call that opens the log; undefined when nothing runs in it. */
  readonly context: AsyncResource | undefined;
  /** For the addon; made again for each opening. */
  native(waiterId: number): NativeWalOptions;
}

/** Files as long as the newest one; the addon knows what a log begins with. */
const AS_BEFORE = 0;
const BYTES_IN_FLIGHT = 64 * 2 ** 20;
const WAIT_US_MAX = 60_000_000;

/** The names of the options of `Wal.open()`. */
export const optionNames: readonly (keyof WalOptions)[] = [
  'segmentBytes',
  'entryBytesMax',
  'durability',
  'commit',
  'bytesInFlightMax',
  'firstLsn',
  'metadata',
  'retainBytes',
  'strictTail',
  'verifyOnOpen',
  'onSegmentSealed',
  'beforeDelete',
  'onError',
  'wait',
  'signal',
];

const levels: Record<Durability, WalLevel> = {
  none: WalLevel.none,
  os: WalLevel.system,
  full: WalLevel.disk,
};

export function checkDurability(what: string, value: unknown): WalLevel {
  return levels[checkChoice(what, value, ['full', 'os', 'none'])];
}

export function checkLsn(what: string, value: unknown, min = 0): number {
  return checkOffset(what, value, min, WAL_LSN_MAX);
}

export function checkForce(options: unknown): boolean {
  const { force } = optionsOf('options', options, ['force']);
  return checkFlag('options.force', force);
}

function checkHook<F>(what: string, value: unknown): F | undefined {
  if (value === undefined || typeof value === 'function') return value as F | undefined;
  throw invalidType(what, 'a function', value);
}

/** A copy, which no one changes while the log is being opened. */
function checkMetadata(what: string, value: unknown): Uint8Array {
  if (value === undefined) return NO_BYTES;
  const bytes = checkBytes(what, value);
  if (bytes > WAL_METADATA_BYTES_MAX) {
    throw outOfRange(what, `at most ${WAL_METADATA_BYTES_MAX} bytes`, bytes);
  }
  return new Uint8Array(value as Uint8Array);
}

const LOG_ID_BYTES = 16;
const BRANCH_SEED_BYTES = 8;

/** Whether one waits for the writer before, and what ends that. `opener`: the call that could. */
function checkWait(
  what: string,
  given: Readonly<Partial<Record<keyof WalOptions, unknown>>>,
  opener: string,
  canWait: boolean,
): Pick<CheckedWalOptions, 'wait' | 'signal'> {
  const wait = checkFlag(`${what}.wait`, given.wait);
  if (wait && !canWait) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `${what}.wait is for ${opener}, which returns a promise; openSync() does not wait`,
    );
  }
  const { signal } = given;
  if (!wait && signal !== undefined) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `${what}.signal is for wait: true, which waits while another writer has the log`,
    );
  }
  return { wait, signal: checkSignal(signal, `${what}.signal`) };
}

/** Where the options of a log stand, for errors, and what opens it. */
export const ofWal = { what: 'options', opener: 'Wal.open()' };
export const ofJournal = { what: 'options.wal', opener: 'AtomicLog.open()' };

/** `canWait`: whether the caller returns a promise. */
export function checkWalOptions(
  directory: unknown,
  options: unknown,
  canWait: boolean,
  { what, opener } = ofWal,
): CheckedWalOptions {
  const path = checkPath(directory, 'directory');
  const given = optionsOf(what, options, optionNames);
  const optional = (name: keyof WalOptions, fallback: number, min: number, max?: number): number =>
    given[name] === undefined ? fallback : checkOffset(`${what}.${name}`, given[name], min, max);
  const commit = optionsOf(`${what}.commit`, given.commit, ['waitUs', 'count', 'bytes']);
  const policy = (name: keyof CommitPolicy, fallback: number, min: number, max?: number): number =>
    commit[name] === undefined ? fallback : checkOffset(`${what}.commit.${name}`, commit[name], min, max);

  const segmentBytes = optional('segmentBytes', AS_BEFORE, WAL_FILE_BYTES_MIN, WAL_FILE_BYTES_MAX);
  const firstLsn = given.firstLsn === undefined ? 1 : checkLsn(`${what}.firstLsn`, given.firstLsn, 1);
  const metadata = checkMetadata(`${what}.metadata`, given.metadata);
  const isTailStrict = checkFlag(`${what}.strictTail`, given.strictTail);
  const verifies = checkFlag(`${what}.verifyOnOpen`, given.verifyOnOpen);
  const commitCount = policy('count', Number.MAX_SAFE_INTEGER, 1);
  const commitBytes = policy('bytes', Number.MAX_SAFE_INTEGER, 1);
  const commitWaitUs = policy('waitUs', 0, 0, WAIT_US_MAX);
  const hooks = {
    onSegmentSealed: checkHook<(file: WalFile) => void>(`${what}.onSegmentSealed`, given.onSegmentSealed),
    beforeDelete: checkHook<(file: WalFile) => void>(`${what}.beforeDelete`, given.beforeDelete),
    onError: checkHook<(error: unknown, file: WalFile) => void>(`${what}.onError`, given.onError),
  };
  const waits = checkWait(what, given, opener, canWait);
  const hasHooks = Object.values(hooks).some((hook) => hook !== undefined);
  return {
    path,
    level: checkDurability(`${what}.durability`, given.durability),
    entryBytesMax: optional('entryBytesMax', WAL_BODY_BYTES_MAX, 0, WAL_BODY_BYTES_MAX),
    bytesInFlightMax: optional('bytesInFlightMax', BYTES_IN_FLIGHT, 0),
    retainBytes: optional('retainBytes', Infinity, WAL_FILE_BYTES_MIN),
    ...hooks,
    ...waits,
    context: hasHooks ? new AsyncResource('atomic-log.Wal') : undefined,
    native: (waiterId) => ({
      path,
      segmentBytes,
      firstLsn,
      metadata,
      newLogId: randomBytes(LOG_ID_BYTES),
      branchSeed: randomBytes(BRANCH_SEED_BYTES),
      isTailStrict,
      verifies,
      processId: process.pid,
      commitCount,
      commitBytes,
      commitWaitUs,
      waiterId,
    }),
  };
}
