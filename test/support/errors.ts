import type { AtomicLogError, ErrorCode } from 'atomic-log';

/** The class of the error is as much part of the contract as its code. */
const classOf: Record<ErrorCode, ErrorConstructor> = {
  ERR_INVALID_ARG_TYPE: TypeError,
  ERR_INVALID_ARG_VALUE: TypeError,
  ERR_OUT_OF_RANGE: RangeError,
  ERR_MISSING_FIELD: TypeError,
  ERR_UNKNOWN_FIELD: TypeError,
  ERR_COLUMN_LENGTH: RangeError,
  ERR_VALUE_TOO_LARGE: RangeError,
  ERR_VARIABLE_SIZE: TypeError,
  ERR_SCHEMA_MISMATCH: TypeError,
  ERR_CODEC_MISMATCH: TypeError,
  ERR_CODEC_RESULT: TypeError,
  ERR_WRITER_BUSY: Error,
  ERR_INVALID_HANDLE: TypeError,
  ERR_FOREIGN_HANDLE: TypeError,
  ERR_LOG_GONE: Error,
  ERR_LOG_CLOSED: Error,
  ERR_WRITER_CLOSED: Error,
  ERR_SNAPSHOT_CLOSED: Error,
  ERR_LOG_ENDED: Error,
  ERR_JOURNALED: Error,
  ERR_SPAN_OPEN: Error,
  ERR_SPAN_OVER: Error,
  ERR_BATCH_OVER: Error,
  ERR_ENTRIES_LOST: Error,
  ERR_MAIN_THREAD: Error,
  ERR_READER_CLOSED: Error,
  ERR_SEGMENT_FULL: RangeError,
  ERR_CHECKSUM_MISMATCH: Error,
  ERR_END_OF_LOG: RangeError,
  ERR_FORMAT: Error,
  ERR_CORRUPT: Error,
  ERR_LOCKED: Error,
  ERR_POISONED: Error,
  ERR_FILE_NOT_FOUND: Error,
  ERR_FILE_EXISTS: Error,
  ERR_FILE_ACCESS: Error,
  ERR_NO_SPACE: Error,
  ERR_IO: Error,
  ERR_THREAD_UNAVAILABLE: Error,
  ERR_TOO_MANY_FILES: Error,
  ERR_DIRECTORY_REPLACED: Error,
  ERR_FILE_REPLACED: Error,
  ERR_FOREIGN_POSITION: Error,
  ERR_CURSOR_DAMAGED: Error,
  ERR_CURSOR_CLOSED: Error,
  ERR_NOT_DURABLE: Error,
  ERR_LSN_MISMATCH: Error,
  ERR_CHECKPOINTED: RangeError,
  ERR_TRUNCATED: Error,
  ERR_TARGET_AHEAD: Error,
  ERR_TARGET_BEHIND: Error,
  ERR_TARGET_DIFFERS: Error,
  ERR_TARGET_REFUSED: Error,
  ERR_ENTRY_TOO_LARGE: RangeError,
  ERR_BATCH_TOO_LARGE: RangeError,
  ERR_TORN_TAIL: Error,
  ERR_COMPRESSION_UNAVAILABLE: Error,
  ERR_ILLEGAL_CONSTRUCTOR: TypeError,
  ERR_OUT_OF_MEMORY: Error,
  ERR_PINNED_BYTES: Error,
  ERR_TOO_MANY_PROCESSES: Error,
  ERR_LOG_DAMAGED: Error,
  ERR_READ_ONLY: Error,
  ERR_WRITER_LOST: Error,
  ERR_PLATFORM_UNSUPPORTED: Error,
  ERR_MAPPING_UNAVAILABLE: Error,
  ERR_ADDON_UNAVAILABLE: Error,
};

/** Long enough for any advice, short enough for a line of a log file. */
const MESSAGE_LENGTH_MAX = 400;

/** What `run` throws; a run that throws nothing fails the test. */
export function thrownBy(run: () => unknown): unknown {
  let returned: unknown;
  try {
    returned = run();
  } catch (error) {
    return error;
  }
  throw new Error(`nothing was thrown; the call returned ${String(returned)}`);
}

/** Expects an error of this package: its exact class, its code, and advice in its message. */
export function expectError(run: () => unknown, code: ErrorCode, message: RegExp): AtomicLogError {
  const error = thrownBy(run) as AtomicLogError;
  expect({ code: error.code, message: error.message }).toEqual({
    code,
    message: expect.stringMatching(message),
  });
  expect(Object.getPrototypeOf(error)).toBe(classOf[code].prototype);
  expect(Object.keys(error)).toContain('code');
  expect(error.message.length).toBeLessThan(MESSAGE_LENGTH_MAX);
  return error;
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<AtomicLogError> {
  return promise.then(
    (value) => {
      throw new Error(`it resolved with ${String(value)}`);
    },
    (error: unknown) => error as AtomicLogError,
  );
}
