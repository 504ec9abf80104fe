/** Failures of segment files as errors with a code and what there is to know. */
import { IoCode, Outcome } from '../base/codes';
import { getSystemErrorName } from 'node:util';

import type { NativeFailure } from '../../types/native';
import { plainError, rangeError, type AtomicLogError, type ErrorCode } from '../base/errors';

/** An error of a segment file. */
export type SegmentError = AtomicLogError & {
  /** The file. */
  readonly path?: string;
  /** Where in the file. */
  readonly offset?: number;
  /** Of `ERR_SEGMENT_FULL`: the bytes that were asked for. */
  readonly attempted?: number;
  /** Of `ERR_SEGMENT_FULL`: the bytes that there are. */
  readonly available?: number;
};

/** Codes of core/platform/io_status.h that have an error code of their own, and what to do. */
const ioErrors: Readonly<Partial<Record<IoCode, readonly [ErrorCode, string]>>> = {
  [IoCode.notFound]: [
    'ERR_FILE_NOT_FOUND',
    'there is no such file, or its directory is missing; SegmentWriter.create() makes a file, but no directory',
  ],
  [IoCode.exists]: ['ERR_FILE_EXISTS', 'the file exists already; SegmentWriter.open() opens it'],
  [IoCode.denied]: [
    'ERR_FILE_ACCESS',
    'the system denies access; check the permissions, and that the disk is not read-only',
  ],
  [IoCode.notAFile]: ['ERR_FILE_ACCESS', 'this is not a regular file; give the path of one'],
  [IoCode.noSpace]: ['ERR_NO_SPACE', 'the disk is full; make room'],
  [IoCode.noThread]: [
    'ERR_THREAD_UNAVAILABLE',
    'the system starts no more threads; raise its limit, then try again',
  ],
  [IoCode.noDescriptor]: [
    'ERR_TOO_MANY_FILES',
    'as many files are open as the process, or the system, may have; close some or raise the limit ' +
      '(ulimit -n), then try again: nothing was changed',
  ],
  [IoCode.noMemory]: [
    'ERR_OUT_OF_MEMORY',
    'the system refuses memory, and nothing was changed; free some, or ask for less at once, then try again',
  ],
};

export function withDetails(error: AtomicLogError, details: object): SegmentError {
  for (const [key, value] of Object.entries(details)) {
    Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return error;
}

/** What the system said, as Node's own errors say it. */
function systemError({ systemError: number, operation, path }: NativeFailure): Error | undefined {
  if (number === 0) return undefined;
  // Node knows names for errno only; Windows has other numbers.
  const code = process.platform === 'win32' ? `Windows error ${number}` : getSystemErrorName(-number);
  const error = new Error(`${code}: ${operation} '${path}'`);
  return withDetails(error as AtomicLogError, { errno: -number, code, syscall: operation, path });
}

/** `other` replaces what is said of some codes. */
export function ioError(failure: NativeFailure, other: typeof ioErrors = {}): SegmentError {
  const { io, path, offset, operation } = failure;
  const [code, advice] = other[io] ??
    ioErrors[io] ?? [
      'ERR_IO',
      `the system failed to ${operation} at ${offset}; check the disk, then open the file again`,
    ];
  return withDetails(plainError(code, `${path}: ${advice}`, systemError(failure)), { path, offset });
}

/** `Buffer.alloc(count)`, but an error of this package where there is no memory for it. */
export function newBytes(count: number, path: string): Buffer<ArrayBuffer> {
  try {
    return Buffer.alloc(count);
  } catch (cause) {
    throw withDetails(
      plainError(
        'ERR_OUT_OF_MEMORY',
        `${path}: the runtime has no memory for ${count} bytes; free some, or ask for less at once, then try again`,
        cause,
      ),
      { path },
    );
  }
}

export function segmentFull(path: string, attempted: number, available: number): SegmentError {
  return withDetails(
    rangeError(
      'ERR_SEGMENT_FULL',
      `${path}: ${attempted} bytes are needed and ${available} are left; go on in a new segment`,
    ),
    { path, attempted, available },
  );
}

export function writerClosed(): AtomicLogError {
  return plainError('ERR_WRITER_CLOSED', 'the writer is closed; open the file again');
}

export function checksumMismatch(path: string, offset: number): SegmentError {
  return withDetails(
    plainError(
      'ERR_CHECKSUM_MISMATCH',
      `${path}: no intact record is at ${offset}; either no record begins there, or it is damaged`,
    ),
    { path, offset },
  );
}

export function outsideOfRecords(path: string, offset: number, end: number): SegmentError {
  return withDetails(
    rangeError(
      'ERR_OUT_OF_RANGE',
      `${path}: offset ${offset} is outside of the records, which end at ${end}; use the offset of a record`,
    ),
    { path, offset },
  );
}

/** The error for what the addon reports. */
export function segmentError(failure: NativeFailure): SegmentError {
  const { path, offset, value, detail } = failure;
  switch (failure.outcome) {
    case Outcome.locked:
      return withDetails(
        plainError('ERR_LOCKED', `${path}: another writer has the file open; close that one first`),
        { path },
      );
    case Outcome.format:
      return withDetails(plainError('ERR_FORMAT', `${path}: ${detail} (at ${offset})`), { path, offset });
    case Outcome.corrupt:
      return withDetails(
        plainError(
          'ERR_CORRUPT',
          `${path}: ${detail} (at ${offset}); nothing was changed. Restore the file, or copy what a reader still reads`,
        ),
        { path, offset },
      );
    case Outcome.poisoned:
      return withDetails(
        plainError(
          'ERR_POISONED',
          `${path}: an earlier write or sync failed, so that no one knows what is on disk beyond ${offset}; ` +
            'close the writer and open the file again',
          systemError(failure),
        ),
        { path, offset },
      );
    case Outcome.replaced:
      return withDetails(
        plainError(
          'ERR_FILE_REPLACED',
          `${path}: the file was moved, deleted or replaced by another one; open it again to read what is there now`,
        ),
        { path },
      );
    case Outcome.full:
      return segmentFull(path, offset, value);
    case Outcome.noRecord:
      return withDetails(
        rangeError(
          'ERR_END_OF_LOG',
          `${path}: the log ends at or before ${offset}; ask for an earlier record`,
        ),
        { path, offset },
      );
    case Outcome.outOfRange:
      return outsideOfRecords(path, offset, value);
    case Outcome.checksum:
      return checksumMismatch(path, offset);
    default:
      return ioError(failure);
  }
}
