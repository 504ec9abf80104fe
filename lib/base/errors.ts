/** Every error that users get: its codes, and how one is made. */
import { types } from 'node:util';
import { seePage } from './pages';
import { typedArrayTag } from './typed-array';

/**
 * Every code that an error of this package can carry.
 *
 * Errors follow Node's custom: a `TypeError`, `RangeError` or `Error` with a
 * stable `code`, and a message that says what to do.
 */
export type ErrorCode =
  /** An argument, option or value has the wrong type. */
  | 'ERR_INVALID_ARG_TYPE'
  /** An option or field has the right type, but a value that has no meaning. */
  | 'ERR_INVALID_ARG_VALUE'
  /** A number is outside its range, or a value does not fit its column. */
  | 'ERR_OUT_OF_RANGE'
  /** A record lacks a field of the schema. */
  | 'ERR_MISSING_FIELD'
  /** A record or batch has a field that the schema lacks, or a column was asked for that does not exist. */
  | 'ERR_UNKNOWN_FIELD'
  /** The columns of a batch differ in length. */
  | 'ERR_COLUMN_LENGTH'
  /** A value needs more bytes than a segment has for values of variable size. */
  | 'ERR_VALUE_TOO_LARGE'
  /** The operation is for entries of fixed size. */
  | 'ERR_VARIABLE_SIZE'
  /** The log has other columns than the schema that was given to `attach` says. */
  | 'ERR_SCHEMA_MISMATCH'
  /** The log needs another codec than the one that was given, or needs one. */
  | 'ERR_CODEC_MISMATCH'
  /** A codec returned what it must not return. */
  | 'ERR_CODEC_RESULT'
  /** The codec is writing an entry: append the next one after that. */
  | 'ERR_WRITER_BUSY'
  /** What was given to `attach` is not a handle, or is not the handle of a log. */
  | 'ERR_INVALID_HANDLE'
  /** The handle comes from another process or from another copy of the addon. */
  | 'ERR_FOREIGN_HANDLE'
  /** Every environment has closed the log that the handle names. */
  | 'ERR_LOG_GONE'
  /** The AtomicLog or Wal object was closed. */
  | 'ERR_LOG_CLOSED'
  /** The Writer was closed. */
  | 'ERR_WRITER_CLOSED'
  /** The Snapshot was closed. */
  | 'ERR_SNAPSHOT_CLOSED'
  /** The writer ended the log: no entries and no claims any more. */
  | 'ERR_LOG_ENDED'
  /** No one has the writer's claim any more, and the follower was told to say so. */
  | 'ERR_WRITER_LOST'
  /** Only the JournaledLog appends to its log. */
  | 'ERR_JOURNALED'
  /** A span is open: commit it before the next append, write or reserve. */
  | 'ERR_SPAN_OPEN'
  /** The span has ended, by commit, roll or close. */
  | 'ERR_SPAN_OVER'
  /** The batch of a follower was used after the next one was asked for. */
  | 'ERR_BATCH_OVER'
  /** Entries left the window before a follower delivered them, or the stream before they were read. */
  | 'ERR_ENTRIES_LOST'
  /** Blocking the main thread was not allowed. */
  | 'ERR_MAIN_THREAD'
  /** The SegmentReader or SegmentTail was closed. */
  | 'ERR_READER_CLOSED'
  /** The file has no room for the record or batch; `attempted` and `available` say how much. */
  | 'ERR_SEGMENT_FULL'
  /** No intact record is at `offset`. */
  | 'ERR_CHECKSUM_MISMATCH'
  /** The log ends at `offset`: no record is there. */
  | 'ERR_END_OF_LOG'
  /** The file is not what the options say. */
  | 'ERR_FORMAT'
  /** Records that are known to have been durable are damaged or missing. */
  | 'ERR_CORRUPT'
  /** Another writer has the file open. */
  | 'ERR_LOCKED'
  /** An earlier write or sync failed: close the writer, and open the file again. */
  | 'ERR_POISONED'
  /** The directory of the log was moved, deleted or replaced by another: open the reader, or the log, again. */
  | 'ERR_DIRECTORY_REPLACED'
  /** The file that is followed was moved, deleted or replaced by another: open it again. */
  | 'ERR_FILE_REPLACED'
  /** There is no such file. */
  | 'ERR_FILE_NOT_FOUND'
  /** The file is there already. */
  | 'ERR_FILE_EXISTS'
  /** The system does not allow it, or the path is not that of a file. */
  | 'ERR_FILE_ACCESS'
  /** The disk is full. */
  | 'ERR_NO_SPACE'
  /** The process, or the system, has as many files open as it may: close some, then try again. */
  | 'ERR_TOO_MANY_FILES'
  /** The system failed to read, write or sync; `cause` says how. */
  | 'ERR_IO'
  /** The system starts no more threads. */
  | 'ERR_THREAD_UNAVAILABLE'
  /** The entry would not get the LSN that was expected. */
  | 'ERR_LSN_MISMATCH'
  /** A checkpoint dropped the entry; `firstLsn` is the first one kept. */
  | 'ERR_CHECKPOINTED'
  /** The position is of an entry of another log. */
  | 'ERR_FOREIGN_POSITION'
  /** A cursor is damaged, or of another log: open it with `reset`, or delete it. */
  | 'ERR_CURSOR_DAMAGED'
  /** The WalCursor was closed. */
  | 'ERR_CURSOR_CLOSED'
  /** The entry is not known to be on disk yet. */
  | 'ERR_NOT_DURABLE'
  /** Entries that a consumer knows were taken back. */
  | 'ERR_TRUNCATED'
  /** The target of forward() has entries that the log does not have. */
  | 'ERR_TARGET_AHEAD'
  /** The log does not have any more what the target of forward() lacks. */
  | 'ERR_TARGET_BEHIND'
  /** The target of forward() has another entry where the log has one of this LSN. */
  | 'ERR_TARGET_DIFFERS'
  /** The target of forward() cannot take the log or an entry, however often it is tried. */
  | 'ERR_TARGET_REFUSED'
  /** The entry is larger than a log takes. */
  | 'ERR_ENTRY_TOO_LARGE'
  /** The batch is larger than a log takes in one piece. */
  | 'ERR_BATCH_TOO_LARGE'
  /** The newest file of the log ends in a torn record, and `strictTail` refuses that. */
  | 'ERR_TORN_TAIL'
  /** The addon was built without zstd. */
  | 'ERR_COMPRESSION_UNAVAILABLE'
  /** The class is made by the library only. */
  | 'ERR_ILLEGAL_CONSTRUCTOR'
  /** The system refused memory. */
  | 'ERR_OUT_OF_MEMORY'
  /** Readers pin more memory than `pinnedBytesMax` allows. */
  | 'ERR_PINNED_BYTES'
  /** As many processes have the log open as it has room for (`readersMax`). */
  | 'ERR_TOO_MANY_PROCESSES'
  /** The memory of a log that processes share holds what none of them may have stored. */
  | 'ERR_LOG_DAMAGED'
  /** The log was opened with `readOnly`. */
  | 'ERR_READ_ONLY'
  /** This operating system does not have what is needed. */
  | 'ERR_PLATFORM_UNSUPPORTED'
  /** This runtime cannot map the log's memory. */
  | 'ERR_MAPPING_UNAVAILABLE'
  /** No binary of the addon fits this machine, or something forbids to load it: the message says which. */
  | 'ERR_ADDON_UNAVAILABLE';

/** An error of this package. */
export type AtomicLogError = Error & { code: ErrorCode };

function withCode<E extends Error>(error: E, code: ErrorCode): E & { code: ErrorCode } {
  // As Node's own errors: the code is an own property, and the stack names it.
  Object.defineProperty(error, 'code', { value: code, enumerable: true, writable: true, configurable: true });
  return error as E & { code: ErrorCode };
}

export function typeError(code: ErrorCode, message: string): AtomicLogError {
  return withCode(new TypeError(message + seePage(code)), code);
}

export function rangeError(code: ErrorCode, message: string): AtomicLogError {
  return withCode(new RangeError(message + seePage(code)), code);
}

/** The `code` of what was thrown, whatever it is; undefined where it has none. */
export function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null | undefined)?.code;
}

export function plainError(code: ErrorCode, message: string, cause?: unknown): AtomicLogError {
  return withCode(new Error(message + seePage(code), cause === undefined ? undefined : { cause }), code);
}

function isArray(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    // A proxy that has been revoked.
    return false;
  }
}

/** What the engine itself knows of an object; neither proxies nor getters are asked. */
function describeObject(value: object): string {
  if (types.isProxy(value)) return isArray(value) ? 'an array' : 'an object';
  if (Array.isArray(value)) return 'an array';
  if (types.isTypedArray(value)) {
    const name = typedArrayTag(value)!;
    return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
  }
  if (types.isArrayBuffer(value)) return 'an ArrayBuffer';
  if (types.isSharedArrayBuffer(value)) return 'a SharedArrayBuffer';
  if (types.isDataView(value)) return 'a DataView';
  if (types.isDate(value)) return 'a Date';
  if (types.isMap(value)) return 'a Map';
  if (types.isSet(value)) return 'a Set';
  if (types.isPromise(value)) return 'a Promise';
  if (types.isNativeError(value)) return 'an Error';
  return 'an object';
}

/** A short, safe picture of any value for an error message. Runs no user code. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}...` : JSON.stringify(value);
    case 'bigint':
      return -(2n ** 70n) < value && value < 2n ** 70n ? `${value}n` : 'a bigint of over 70 bits';
    case 'symbol':
      return 'a symbol';
    case 'function':
      return 'a function';
    case 'object':
      if (value === null) return 'null';
      return describeObject(value);
    default:
      return Object.is(value, -0) ? '-0' : String(value);
  }
}

/** `advice`: what to give instead, where that is not plain. */
export function invalidType(what: string, expected: string, value: unknown, advice?: string): AtomicLogError {
  const message = `${what} must be ${expected}; got ${describe(value)}`;
  return typeError('ERR_INVALID_ARG_TYPE', advice === undefined ? message : `${message}; ${advice}`);
}

export function outOfRange(what: string, expected: string, value: unknown): AtomicLogError {
  return rangeError('ERR_OUT_OF_RANGE', `${what} must be ${expected}; got ${describe(value)}`);
}

export function illegalConstructor(name: string, instead: string): AtomicLogError {
  return typeError('ERR_ILLEGAL_CONSTRUCTOR', `${name} cannot be constructed; use ${instead}`);
}
