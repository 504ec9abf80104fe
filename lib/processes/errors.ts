/** Why a log that processes share was not opened, as errors. */
import { constants } from 'node:os';

import { IoCode, Mismatch, SharedOutcome } from '../base/codes';
import type { NativeSharedFailure } from '../../types/native';
import { plainError, rangeError, type AtomicLogError } from '../base/errors';
import { ioError, withDetails } from '../durable/errors';

/** Why a file is refused. `found` is the number that it has. */
const mismatches: Readonly<Partial<Record<Mismatch, (found: number) => string>>> = {
  [Mismatch.magic]: () => 'this is not the file of a log that processes share; choose another path',
  [Mismatch.byteOrder]: () => 'the log was made on a machine with another byte order; unlink it',
  [Mismatch.version]: (found) =>
    `the log has layout ${found}, and this version of atomic-log knows another; use one version in all processes, or unlink it`,
  [Mismatch.checksum]: () => 'the beginning of the file is damaged; unlink it',
  [Mismatch.sizes]: () => 'the beginning of the file contradicts itself; unlink it',
  [Mismatch.fileBytes]: (found) =>
    `the file has only ${found} bytes, fewer than the log needs: it was shortened, or copied in part; copy it again, or unlink it`,
  [Mismatch.boot]: () =>
    'the log was made before the system was started last; open it with create: true, which makes a new one in its place, ' +
    'with wait: true until another process has, or with readOnly: true to read it',
  [Mismatch.owner]: () =>
    'the file belongs to another user; choose another path, or open it with allowOtherOwner: true, and create: false ' +
    'or readOnly: true',
};

/** What was to be done with the path. */
export interface Asked {
  readonly what: 'make' | 'join' | 'unlink';
  /** About how many bytes a log that is to be made needs. */
  readonly bytes: number;
}

function reasonOf(mismatch: Mismatch, found: number, what: Asked['what']): string | undefined {
  if (mismatch === Mismatch.owner && what === 'unlink') {
    return 'the file belongs to another user; its owner unlinks it, or remove the file by hand';
  }
  return mismatches[mismatch]?.(found);
}

/** Windows has it for names that are too long or have wrong characters: ERROR_INVALID_NAME. */
const INVALID_NAME = 123;

/** What to do when the path leads to nothing. */
const missing: Readonly<Record<Asked['what'], string>> = {
  make: 'the directory of the log is missing; make it first',
  join: 'there is no such log; open it without create: false or readOnly: true to make it, or with wait: true until another process has',
  unlink: 'there is no such log',
};

export function openFailed(path: string, failure: NativeSharedFailure, asked: Asked): AtomicLogError {
  const { outcome, mismatch, found, io, systemError, operation } = failure;
  switch (outcome) {
    case SharedOutcome.mismatch:
      return withDetails(
        plainError(
          // What the file is, is not known then.
          mismatch === Mismatch.owner ? 'ERR_FILE_ACCESS' : 'ERR_FORMAT',
          `${path}: ${reasonOf(mismatch, found, asked.what)}`,
        ),
        { path },
      );
    case SharedOutcome.outOfRange:
      return rangeError('ERR_OUT_OF_RANGE', 'the log would be larger than the addon can address');
    case SharedOutcome.noMemory:
      return withDetails(
        plainError(
          'ERR_OUT_OF_MEMORY',
          `${path}: the system refuses memory for what the file says of the log; free some, then try again`,
        ),
        { path },
      );
    case SharedOutcome.noSlot:
      return withDetails(
        plainError(
          'ERR_TOO_MANY_PROCESSES',
          `${path}: as many processes have the log open as it has room for; close it in one of them (npx atomic-log ` +
            'inspect lists them), read it with readOnly: true, which needs no room, or unlink it and make it with a larger readersMax',
        ),
        { path },
      );
    default:
  }
  if (io === IoCode.unsupported) {
    return plainError(
      'ERR_PLATFORM_UNSUPPORTED',
      `${path}: this file system, or this system, has no locks that belong to an open file, as network file systems often have ` +
        'none; put the log on a disk of this machine',
    );
  }
  if (systemError === constants.errno.ENAMETOOLONG && process.platform === 'linux') {
    return withDetails(
      rangeError(
        'ERR_OUT_OF_RANGE',
        'the path, or a name in it, is longer than the file system allows; choose a shorter one',
      ),
      { path },
    );
  }
  if (systemError === INVALID_NAME && process.platform === 'win32') {
    return withDetails(
      rangeError(
        'ERR_OUT_OF_RANGE',
        'the name is longer than the file system allows, or has characters that Windows does not allow in names; choose another one',
      ),
      { path },
    );
  }
  const denied =
    systemError === constants.errno.EROFS
      ? 'the file system is mounted for reading only; choose another path, or read a log that is there with readOnly: true'
      : 'the system denies access; check the permissions of the file and of its directory. The option mode of the process ' +
        'that makes the log decides who may open it (default 0o600); with permission to read alone, open it with readOnly: true';
  const details = { io, systemError, operation, path, offset: 0, value: 0, detail: '', outcome: 0 as const };
  return ioError(details, {
    [IoCode.notFound]: ['ERR_FILE_NOT_FOUND', missing[asked.what]],
    ...(asked.what === 'unlink' ? {} : { [IoCode.denied]: ['ERR_FILE_ACCESS', denied] as const }),
    [IoCode.exists]: ['ERR_FILE_EXISTS', "the log exists already; open it without create: 'exclusive'"],
    [IoCode.locked]: [
      'ERR_LOCKED',
      'another process has stopped while it took the name of this file away or gave it to another; let it go on, or end it',
    ],
    [IoCode.noSpace]: [
      'ERR_NO_SPACE',
      `the file system has no room for the log, which needs about ${asked.bytes} bytes; make room (a container may ` +
        'need a larger --shm-size), or choose a smaller retainedCapacity, dataBytes or extraSegments',
    ],
  });
}

/** The log that is there has entries of another kind than the options describe. */
export function hasOthers(path: string, there: string, here: string): AtomicLogError {
  return withDetails(
    plainError(
      'ERR_FORMAT',
      `${path}: the log that is there has ${there}, and options say ${here}; ` +
        'open it with the same schema, type or codec, or unlink it',
    ),
    { path },
  );
}

/** The log that is there differs in one option from the one that was asked for. */
export function differs(path: string, what: string, there: unknown, here: unknown): AtomicLogError {
  return withDetails(
    plainError(
      'ERR_FORMAT',
      `${path}: ${what} of the log that is there is ${String(there)}, and options say ${String(here)}; ` +
        'open it with the same options, or unlink it',
    ),
    { path },
  );
}
