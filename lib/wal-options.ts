import { randomBytes } from 'node:crypto';

import type { NativeWalArguments, NativeWalLevel } from '../types/native';
import { checkBytes, NO_BYTES } from './bytes';
import { invalidType, outOfRange } from './errors';
import { checkNames } from './option-names';
import { checkChoice, checkFlag, checkObject, checkOffset, checkPath } from './segment-options';

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
  /** Bytes of each file that is made. Default: those of the log's newest file, and 64 MiB for a new log. */
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
  /** Let go of the oldest files while all have more bytes than this. */
  retainBytes?: number;
  /** Refuse a log with a torn last record, instead of setting it aside. */
  strictTail?: boolean;
  /** Read the records of all files, not of the newest only. */
  verifyOnOpen?: boolean;
  /** A file is complete and will not change again; to archive it, for example. */
  onSegmentSealed?: (file: WalFile) => void;
  /** A checkpoint is about to let go of the file. When this throws, nothing is deleted. */
  beforeDelete?: (file: WalFile) => void;
}

export interface CheckedWalOptions {
  readonly path: string;
  readonly level: NativeWalLevel;
  readonly entryBytesMax: number;
  readonly bytesInFlightMax: number;
  readonly retainBytes: number;
  readonly onSegmentSealed: ((file: WalFile) => void) | undefined;
  readonly beforeDelete: ((file: WalFile) => void) | undefined;
  nativeArguments(waiterId: number): NativeWalArguments;
}

/** Files as long as the newest one; the addon knows what a log begins with. */
const AS_BEFORE = 0;
const BYTES_IN_FLIGHT = 64 * 2 ** 20;
const SEGMENT_BYTES_MIN = 8192;
const SEGMENT_BYTES_MAX = 2 ** 40;
const ENTRY_BYTES_MAX = 2 ** 24;
const METADATA_BYTES_MAX = 3988;
const WAIT_US_MAX = 60_000_000;
/** LSNs stay exact for as long as anybody will append. */
const LSN_MAX = 2 ** 52;

const optionNames: readonly (keyof WalOptions)[] = [
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
];

const levels: Record<Durability, NativeWalLevel> = { none: 0, os: 1, full: 2 };

export function checkDurability(what: string, value: unknown): NativeWalLevel {
  return levels[checkChoice(what, value, ['full', 'os', 'none'])];
}

export function checkLsn(what: string, value: unknown, min = 0): number {
  return checkOffset(what, value, min, LSN_MAX);
}

function checkHook(what: string, value: unknown): ((file: WalFile) => void) | undefined {
  if (value === undefined || typeof value === 'function') return value as (file: WalFile) => void;
  throw invalidType(what, 'a function', value);
}

/** A copy, which nobody changes while the log is being opened. */
function checkMetadata(value: unknown): Uint8Array {
  if (value === undefined) return NO_BYTES;
  const bytes = checkBytes('options.metadata', value);
  if (bytes > METADATA_BYTES_MAX) {
    throw outOfRange('options.metadata', `at most ${METADATA_BYTES_MAX} bytes`, bytes);
  }
  return new Uint8Array(value as Uint8Array);
}

/** The id of a log, and a seed for the branches of one life of it. */
const RANDOM_BYTES = 16 + 8;

export function checkWalOptions(directory: unknown, options: unknown): CheckedWalOptions {
  const path = checkPath(directory, 'directory');
  const given = checkObject('options', options);
  checkNames('options', given, optionNames);
  const optional = (name: string, fallback: number, min: number, max?: number): number =>
    given[name] === undefined ? fallback : checkOffset(`options.${name}`, given[name], min, max);
  const commit = checkObject('options.commit', given.commit);
  checkNames('options.commit', commit, ['waitUs', 'count', 'bytes']);
  const policy = (name: string, fallback: number, min: number, max?: number): number =>
    commit[name] === undefined ? fallback : checkOffset(`options.commit.${name}`, commit[name], min, max);

  const segmentBytes = optional('segmentBytes', AS_BEFORE, SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
  const firstLsn = given.firstLsn === undefined ? 1 : checkLsn('options.firstLsn', given.firstLsn, 1);
  const metadata = checkMetadata(given.metadata);
  const isTailStrict = checkFlag('options.strictTail', given.strictTail);
  const verifies = checkFlag('options.verifyOnOpen', given.verifyOnOpen);
  const commitCount = policy('count', Number.MAX_SAFE_INTEGER, 1);
  const commitBytes = policy('bytes', Number.MAX_SAFE_INTEGER, 1);
  const commitWaitUs = policy('waitUs', 0, 0, WAIT_US_MAX);
  return {
    path,
    level: checkDurability('options.durability', given.durability),
    entryBytesMax: optional('entryBytesMax', ENTRY_BYTES_MAX, 0, ENTRY_BYTES_MAX),
    bytesInFlightMax: optional('bytesInFlightMax', BYTES_IN_FLIGHT, 0),
    retainBytes: optional('retainBytes', Infinity, SEGMENT_BYTES_MIN),
    onSegmentSealed: checkHook('options.onSegmentSealed', given.onSegmentSealed),
    beforeDelete: checkHook('options.beforeDelete', given.beforeDelete),
    nativeArguments: (waiterId) => [
      path,
      segmentBytes,
      firstLsn,
      metadata,
      randomBytes(RANDOM_BYTES),
      isTailStrict,
      verifies,
      process.pid,
      commitCount,
      commitBytes,
      commitWaitUs,
      waiterId,
    ],
  };
}
