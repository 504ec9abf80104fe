/** The options of a log that processes share: those of a log in memory, and those of its file. */
import { READERS_MAX_MAX, SHARED_SEGMENTS_MAX, SharedOpenMode } from '../base/codes';
import { checkSignal } from '../base/abort';
import { checkFlag, checkInteger, checkNames, checkObject } from '../base/checks';
import { describe, invalidType, rangeError, typeError, type AtomicLogError } from '../base/errors';
import type { Codec } from '../memory/codec';
import type { MappingKind } from '../memory/storage';
import { checkOptions, optionNames, type CheckedOptions } from '../memory/options';
import {
  checkSchema,
  schemaAndCodec,
  type RecordColumns,
  type RecordOf,
  type Schema,
} from '../memory/schema';

/** What {@link AtomicLogConstructor.open} takes besides the options of a log in memory, with a path. */
export interface ProcessOptions {
  /**
   * Whether the log is made where there is none: `true` (default); `'exclusive'` for a new one or none; or
   * `'replace-ended'`, which also makes a new one in place of one that has ended, whatever its options were. Processes
   * that have the old one open keep it. Of several that replace it at once, one makes the log and the others join it.
   */
  create?: true | 'exclusive' | 'replace-ended';
  readOnly?: false;
  /**
   * Permissions of a new file, whatever the umask says; those of 0o600 are always among them, so that its owner can
   * open it. Default 0o600: no one else can.
   */
  mode?: number;
  /**
   * Processes that can have the log open at a time, the writer's included; an integer from 1 to 1024. Default 64. Of a
   * log that is there it may be left out; a number that differs from its own is refused, as with {@link extraSegments}.
   */
  readersMax?: number;
  /**
   * Segments, beyond the window, that readers may keep from being used again without stopping the writer: while they
   * keep more, an append that would begin another segment fails with `ERR_PINNED_BYTES`. The file has them from the
   * beginning. An integer from 1 to 2²⁰. Default: as many as the window has, so that one snapshot of all of it stops no one.
   */
  extraSegments?: number;
  /**
   * How this thread shows the log's memory: as of a log in memory, but that every process, and every thread, chooses
   * for itself. Not for a log that is joined or read, which goes by `'auto'`.
   */
  mapping?: MappingKind | 'auto';
  /** Not for a log that processes share: it has {@link extraSegments}. */
  pinnedBytesMax?: undefined;
}

/** To open a log that is there: it says by itself what its entries are. */
export interface JoinOptions<T> {
  create: false;
  readOnly?: false;
  /** The codec of a log that has one, if it is your own. */
  codec?: Codec<T>;
  /**
   * Whether a file of another user is opened, too. Its owner can shorten it, which ends every process that reads it,
   * and write anything into it. Default false.
   */
  allowOtherOwner?: boolean;
}

/**
 * To read a log that is there, also one that no process has open any more, was copied, or is of an earlier run of the
 * system. Needs no permission to write, takes none of `readersMax`, and changes nothing in the file.
 *
 * The writer does not know of it. So what is read is a copy, as large as the window, whose entries are valid as always;
 * new entries are looked for every 1 to 10 ms while something waits; and what leaves the window before it was copied
 * is lost, as for any reader that is too slow.
 */
export interface ReadOnlyOptions<T> {
  readOnly: true;
  /** A log that is only read is never made. */
  create?: false;
  /** As for {@link JoinOptions}. */
  codec?: Codec<T>;
  /** As for {@link JoinOptions}. */
  allowOtherOwner?: boolean;
}

/** What {@link AtomicLogConstructor.open} takes besides, to open a log that is there or comes. */
export interface JoinWaitOptions {
  /**
   * Whether the log is waited for where there is none, or no directory; with `create: false` also where it is one of an
   * earlier run of the system, which its maker replaces. Keeps the process alive meanwhile. Default false: refused.
   */
  wait?: boolean;
  /** With `wait: true`: ends the waiting, as `AbortSignal.timeout(5000)` does. */
  signal?: AbortSignal;
  /**
   * With `wait: true`: the `logId` of a log that is waited past, as if it were not there. A process that has followed a
   * log to its end so waits for the one that takes its place.
   */
  otherThan?: string | undefined;
}

/** To open a log of records that is there, so that its entries have the types of the schema. */
export type RecordJoinOptions<S extends Schema> = (
  JoinOptions<RecordOf<S>> | ReadOnlyOptions<RecordOf<S>>
) & {
  /** The schema that the log was made with: its columns are compared with it. */
  schema: S;
  codec?: undefined;
};

const MODE_MAX = 0o777;
const MODE_DEFAULT = 0o600;
const READERS_DEFAULT = 64;
const SEGMENTS_DEFAULT_MAX = 2 ** 10;

const memoryNames = optionNames.filter((name) => name !== 'pinnedBytesMax');
const makersNames = [...memoryNames, 'mode', 'readersMax', 'extraSegments'];
const waitsOnly = 'is for wait: true, which waits for a log that another process makes';
const thereOnly = 'give create: false or readOnly: true, too';
/** Options that are refused where a log is made, and why. */
const notOfMakers = {
  allowOtherOwner: `is for a log that is there: ${thereOnly}`,
  wait: `is for a log that another process makes: ${thereOnly}`,
  signal: `${waitsOnly}: give that, and create: false or readOnly: true, too`,
  otherThan: `${waitsOnly}: give that, and create: false or readOnly: true, too`,
  pinnedBytesMax: 'is for the threads of one process: give extraSegments, which bounds what all readers keep',
  wal: 'is for AtomicLog.open({ wal }), which takes no path: processes share no write-ahead log',
};

export interface CheckedProcessOptions {
  readonly openMode: SharedOpenMode;
  readonly permissions: number;
  readonly allowsOtherOwner: boolean;
  readonly readersMax: number;
  readonly extraSegments: number;
  /** Whether the user gave these: only then a file that differs is refused. */
  readonly given: { readonly readersMax: boolean; readonly extraSegments: boolean };
  /** Undefined to join. */
  readonly memory: CheckedOptions | undefined;
  readonly codec: unknown;
  /** The columns that a log of records must have to be joined, where a schema was given. */
  readonly columns: RecordColumns | undefined;
  readonly wait: boolean;
  readonly signal: AbortSignal | undefined;
  /** The id of the log that is waited past; empty: none. */
  readonly otherThan: string;
}

/** Refuses what is an option elsewhere, and says where. */
function refuseMisplaced(given: Record<string, unknown>, why: Readonly<Record<string, string>>): void {
  for (const [name, reason] of Object.entries(why)) {
    if (given[name] !== undefined) throw typeError('ERR_INVALID_ARG_VALUE', `options.${name} ${reason}`);
  }
}

/** As `log.logId` has it. */
function checkLogId(id: unknown): string {
  const expected = 'the logId of a log that processes share: 32 hexadecimal digits';
  if (typeof id !== 'string') throw invalidType('options.otherThan', expected, id);
  if (/^[0-9a-f]{32}$/.test(id)) return id;
  throw typeError('ERR_INVALID_ARG_VALUE', `options.otherThan must be ${expected}; got ${describe(id)}`);
}

/** Checks the options of a log that is there, to be joined or read. */
function checkJoinOptions(
  given: Record<string, unknown>,
  openMode: SharedOpenMode,
  canWait: boolean,
): CheckedProcessOptions {
  const isJoin = openMode === SharedOpenMode.join;
  const leaveOut = `is for making the log: leave it out with ${isJoin ? 'create: false' : 'readOnly: true'}`;
  const makersOnly = makersNames.filter((name) => name !== 'schema' && name !== 'codec');
  refuseMisplaced(given, Object.fromEntries(makersOnly.map((name) => [name, leaveOut])));
  const wait = checkFlag('options.wait', given.wait);
  if (wait && !canWait) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      'options.wait is for AtomicLog.open(), which returns a promise; openSync() does not wait',
    );
  }
  checkNames('options', given, [
    'create',
    'readOnly',
    'schema',
    'codec',
    'allowOtherOwner',
    'wait',
    'signal',
    'otherThan',
  ]);
  if (!wait) refuseMisplaced(given, { signal: waitsOnly, otherThan: waitsOnly });
  const { schema, codec, otherThan } = given;
  if (schema !== undefined && codec !== undefined) throw schemaAndCodec();
  return {
    openMode,
    permissions: MODE_DEFAULT,
    allowsOtherOwner: checkFlag('options.allowOtherOwner', given.allowOtherOwner),
    readersMax: READERS_DEFAULT,
    extraSegments: 0,
    given: { readersMax: false, extraSegments: false },
    memory: undefined,
    codec,
    columns: schema === undefined ? undefined : checkSchema('options.schema', schema),
    wait,
    signal: wait ? checkSignal(given.signal) : undefined,
    otherThan: otherThan === undefined ? '' : checkLogId(otherThan),
  };
}

const octal = (mode: number): string => `0o${mode.toString(8)}`;

/** Messages show the mode in octal, as permissions are written. */
function checkMode(mode: unknown): number {
  const expected = 'permissions up to 0o777 that let the owner read and write, such as 0o600 or 0o640';
  if (typeof mode !== 'number') throw invalidType('options.mode', expected, mode);
  // A maker that could not open its own file would be refused by the log it has made.
  const isOwners = (mode & MODE_DEFAULT) === MODE_DEFAULT;
  if (Number.isInteger(mode) && mode >= 0 && mode <= MODE_MAX && isOwners) return mode;
  const got = Number.isInteger(mode) && mode > 0 ? `${octal(mode)} (${mode})` : String(mode);
  throw rangeError('ERR_OUT_OF_RANGE', `options.mode must be ${expected}; got ${got}`);
}

const openModes: ReadonlyMap<unknown, SharedOpenMode> = new Map<unknown, SharedOpenMode>([
  [true, SharedOpenMode.createOrJoin],
  ['exclusive', SharedOpenMode.create],
  ['replace-ended', SharedOpenMode.replaceEnded],
]);

/** A user who gives no sizes has most likely forgotten to say that the log is there. */
const sizesMissing = (): AtomicLogError =>
  invalidType(
    'options.retainedCapacity',
    `an integer from 1 to ${Number.MAX_SAFE_INTEGER}`,
    undefined,
    'give create: false to join a log',
  );

/** Checks the options. Reads each of them once. `canWait`: whether the caller returns a promise. */
export function checkProcessOptions(options: unknown, canWait: boolean): CheckedProcessOptions {
  const needed = 'with retainedCapacity and segmentCapacity, or create: false to join a log';
  const given = checkObject('options', options, needed);
  const readOnly = checkFlag('options.readOnly', given.readOnly);
  const { create = !readOnly } = given;
  if (create === false) {
    return checkJoinOptions(given, readOnly ? SharedOpenMode.readOnly : SharedOpenMode.join, canWait);
  }
  const openMode = openModes.get(create);
  if (openMode === undefined) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `options.create must be true, false, 'exclusive' or 'replace-ended'; got ${describe(create)}`,
    );
  }
  if (readOnly) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `options.create must be false, or left out, with readOnly: true; got ${describe(create)}`,
    );
  }
  refuseMisplaced(given, notOfMakers);
  checkNames('options', given, [...makersNames, ...Object.keys(notOfMakers), 'create', 'readOnly']);
  const { mode, readersMax, extraSegments } = given;
  // It may be the instance of a class.
  const own = Object.fromEntries(memoryNames.map((name) => [name, given[name]]));
  if (own.retainedCapacity === undefined && own.segmentCapacity === undefined) throw sizesMissing();
  const memory = checkOptions(own);
  const windowSegments = Math.ceil(memory.retainedCapacity / memory.segmentCapacity) + 1;
  return {
    openMode,
    allowsOtherOwner: false,
    permissions: mode === undefined ? MODE_DEFAULT : checkMode(mode),
    readersMax:
      readersMax === undefined
        ? READERS_DEFAULT
        : checkInteger('options.readersMax', readersMax, 1, READERS_MAX_MAX),
    extraSegments:
      extraSegments === undefined
        ? Math.min(windowSegments, SEGMENTS_DEFAULT_MAX)
        : checkInteger('options.extraSegments', extraSegments, 1, SHARED_SEGMENTS_MAX),
    given: { readersMax: readersMax !== undefined, extraSegments: extraSegments !== undefined },
    memory,
    codec: given.codec,
    columns: undefined,
    wait: false,
    signal: undefined,
    otherThan: '',
  };
}
