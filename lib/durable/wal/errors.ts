/** Failures of write-ahead logs as errors with a code and what there is to know. */
import { IoCode, Outcome } from '../../base/codes';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';

import type { NativeFailure } from '../../../types/native';
import { plainError, rangeError } from '../../base/errors';
import { ioError, segmentError, withDetails, type SegmentError } from '../errors';

/** An error of a write-ahead log. */
export type WalError = SegmentError & {
  /** Of `ERR_LSN_MISMATCH`: the LSN that the entry would have got. */
  readonly nextLsn?: number;
  /**
   * Of `ERR_CHECKPOINTED`: the entry that is gone; of `ERR_TRUNCATED`: the first one that is, where it is known (not of a
   * position); of `ERR_TARGET_…`: the entry of the target.
   */
  readonly lsn?: number;
  /** Of `ERR_CHECKPOINTED` and `ERR_TARGET_BEHIND`: the first entry that is still there. */
  readonly firstLsn?: number;
  /** Of `ERR_ENTRY_TOO_LARGE` (`attempted` bytes, `available` allowed), for an entry of a batch: which one, from 0. */
  readonly index?: number;
  /** Of `ERR_TARGET_AHEAD`: the last entry of the log. */
  readonly lastLsn?: number;
  /** Of `ERR_LOCKED`: the process that has the log, or the cursor, open, where it is known. */
  readonly holder?: number;
  /** Of a cursor's `ERR_CHECKPOINTED`, and of `ERR_TARGET_BEHIND`: the entries that are lost to it; the bounds are inclusive. */
  readonly lost?: { readonly from: number; readonly to: number };
};

/** The end of the path of a file that logs make. */
const ownFile = /[\\/](LOCK|wal-\d+\.log[^\\/]*|cursors[\\/][^\\/]+)$/;

/** Codes of core/platform/io_status.h that mean something else for a directory of files. */
const ioErrors: Parameters<typeof ioError>[1] = {
  [IoCode.notFound]: [
    'ERR_FILE_NOT_FOUND',
    'there is no such directory, or no such file of the log; check the path',
  ],
  [IoCode.exists]: ['ERR_FILE_EXISTS', 'something that is not a directory has the name; give another path'],
  [IoCode.denied]: [
    'ERR_FILE_ACCESS',
    'the system denies access; check the permissions of the directory and its files, and that the disk is not ' +
      'read-only (a WalReader needs no right to write)',
  ],
  [IoCode.noSpace]: [
    'ERR_NO_SPACE',
    'the disk is full, and nothing was written; make room, or free the oldest file of the log with ' +
      'checkpoint(wal.files[0].lastLsn), which needs none, then try again',
  ],
  [IoCode.notAFile]: [
    'ERR_FILE_ACCESS',
    'this is not a regular file, but has the name of a file of the log; move it away, then try again',
  ],
  [IoCode.noThread]: [
    'ERR_THREAD_UNAVAILABLE',
    'the system starts no thread for the commits; raise its limit, then append again (appendSync() needs none)',
  ],
};

/** Where there is no log that could drop entries. */
const noRoom: typeof ioErrors = {
  [IoCode.noSpace]: ['ERR_NO_SPACE', 'the disk is full; make room, then try again'],
};

/** What has the place of a directory above `path`, or its own, and is not one. */
function obstacleTo(path: string): string | undefined {
  for (let at = path; ; at = dirname(at)) {
    try {
      return statSync(at).isDirectory() ? undefined : at;
    } catch {
      // Nothing is there; then look above.
      if (dirname(at) === at) return undefined;
    }
  }
}

/** A failure of the system. */
function walIoError(failure: NativeFailure, isOpen: boolean): WalError {
  // Whether a file may be written as a directory is asked before what is missing in it.
  const mayBeObstructed = failure.io === IoCode.notFound || failure.io === IoCode.denied;
  const obstacle = mayBeObstructed ? obstacleTo(failure.path.replace(ownFile, '')) : undefined;
  if (obstacle === undefined) return ioError(failure, isOpen ? ioErrors : { ...ioErrors, ...noRoom });
  return withDetails(
    plainError(
      'ERR_FILE_ACCESS',
      `${obstacle}: this is not a directory; give the directory of a log`,
      ioError(failure).cause,
    ),
    { path: obstacle },
  );
}

export function walClosed(): WalError {
  return plainError('ERR_LOG_CLOSED', 'the log is closed; open it again');
}

export function lsnMismatch(expected: number, nextLsn: number): WalError {
  return withDetails(
    plainError(
      'ERR_LSN_MISMATCH',
      `the entry would get LSN ${nextLsn}, not ${expected}; read what was appended meanwhile, then decide again`,
    ),
    { nextLsn },
  );
}

/** `index`: which one of a batch it is, from 0. */
export function entryTooLarge(bytes: number, limit: number, index?: number): WalError {
  const which = index === undefined ? 'the entry' : `entry ${index} of the batch`;
  return withDetails(
    rangeError('ERR_ENTRY_TOO_LARGE', `${which} has ${bytes} bytes and must not exceed ${limit}; split it`),
    { attempted: bytes, available: limit, ...(index === undefined ? {} : { index }) },
  );
}

export function batchTooLarge(bytes: number, limit: number): WalError {
  return withDetails(
    rangeError(
      'ERR_BATCH_TOO_LARGE',
      `the batch needs ${bytes} bytes and must not exceed ${limit}; append it in parts`,
    ),
    { attempted: bytes, available: limit },
  );
}

export function checkpointed(path: string, lsn: number, firstLsn: number): WalError {
  return withDetails(
    rangeError(
      'ERR_CHECKPOINTED',
      `${path}: entry ${lsn} is gone, the log begins with entry ${firstLsn}; go on from there`,
    ),
    { path, lsn, firstLsn },
  );
}

/** What was seen although nothing proved that it was on disk is gone. */
export function takenBack(lsn: number): WalError {
  return withDetails(
    plainError(
      'ERR_TRUNCATED',
      `entries from ${lsn} on were seen before they were proved to be on disk, and were lost; ` +
        `undo what was made of them, then go on from ${lsn}`,
    ),
    { lsn },
  );
}

/** What was delivered, or lay before where a follower began, was cut off. */
export function cutOff(lsn: number): WalError {
  return withDetails(
    plainError(
      'ERR_TRUNCATED',
      `truncateAfter() took back entries from ${lsn} on, after they were delivered or counted as delivered; ` +
        `undo what was made of them, then go on from ${lsn}`,
    ),
    { lsn },
  );
}

export function foreignPosition({ lsn, logId }: { lsn: number; logId: string }): WalError {
  return withDetails(
    plainError(
      'ERR_FOREIGN_POSITION',
      `the position is that of entry ${lsn} of another log, ${logId}; give one of this log, or begin with the oldest entry`,
    ),
    { lsn },
  );
}

/** The error for what the addon reports; `isOpen`: of a log that is open, and not of one that is opened or copied. */
export function walError(failure: NativeFailure, { isOpen = true } = {}): WalError {
  const { path, offset, value, detail } = failure;
  switch (failure.outcome) {
    case Outcome.locked: {
      const who = value > 0 ? `process ${value} has` : 'another writer has';
      return withDetails(
        plainError(
          'ERR_LOCKED',
          `${path}: ${who} the log open; close it there, wait for that with wait: true, or read with a WalReader`,
        ),
        value > 0 ? { path, holder: value } : { path },
      );
    }
    case Outcome.corrupt:
      return withDetails(
        plainError(
          'ERR_CORRUPT',
          `${path}: ${detail} (at ${offset}); nothing was changed. Restore the file, or copy what is left with salvage() or the command "atomic-log repair"`,
        ),
        { path, offset },
      );
    case Outcome.poisoned:
      return withDetails(
        plainError(
          'ERR_POISONED',
          `${path}: ${detail}, so that no one knows what is on disk after LSN ${value}; ` +
            'close the log and open it again',
          ioError(failure).cause,
        ),
        { path, offset },
      );
    case Outcome.outOfRange:
      return withDetails(
        rangeError(
          'ERR_OUT_OF_RANGE',
          `${path}: LSN ${offset} is not in the log, whose last entry is ${value}`,
        ),
        { path },
      );
    case Outcome.lsnMismatch:
      return lsnMismatch(offset, value);
    case Outcome.noLsn:
      return withDetails(
        rangeError(
          'ERR_OUT_OF_RANGE',
          `${path}: LSN ${value} is the last that there is; go on in another log`,
        ),
        { path },
      );
    case Outcome.tooLarge:
      return entryTooLarge(offset, value);
    case Outcome.closed:
      return walClosed();
    case Outcome.tornTail:
      return withDetails(
        plainError(
          'ERR_TORN_TAIL',
          `${path}: ${detail} (at ${offset}); nothing was changed. Open without strictTail to move what is torn to a quarantine file`,
        ),
        { path, offset },
      );
    case Outcome.checkpointed:
      return checkpointed(path, offset, value);
    case Outcome.replaced:
      return withDetails(
        plainError(
          'ERR_DIRECTORY_REPLACED',
          `${path}: the directory was moved, deleted or replaced by another one, a restored backup for example; ` +
            'close the log or reader and open it again to have what is there now',
        ),
        { path },
      );
    case Outcome.truncated:
      return withDetails(
        plainError(
          'ERR_TRUNCATED',
          `${path}: entry ${offset} is not in the log any more, or is another one, after truncateAfter(), a crash or a ` +
            'restored backup; undo what was made of it, then go on from an earlier position, or from the oldest ' +
            `entry. The last entry is ${value}`,
        ),
        // The first entry that is gone may be an earlier one.
        { path },
      );
    case Outcome.takenBack:
      return takenBack(offset);
    case Outcome.cursorDamaged:
      return cursorDamaged(path, detail);
    case Outcome.cursorsLocked:
      return withDetails(plainError('ERR_LOCKED', `${path}: ${detail}`), { path });
    case Outcome.notDurable:
      return withDetails(
        plainError(
          'ERR_NOT_DURABLE',
          `${path}: entry ${offset} is not proved to be on disk, only those up to ${value} are; commit it later`,
        ),
        { path },
      );
    default:
      return failure.outcome === Outcome.io ? walIoError(failure, isOpen) : segmentError(failure);
  }
}

/** A checkpoint that is not forced frees nothing while the cursor cannot move. */
const noRoomToMove: typeof ioErrors = {
  [IoCode.noSpace]: [
    'ERR_NO_SPACE',
    'the disk is full; make room, or free the oldest files of the log with checkpoint(lsn, { force: true }), where lsn ' +
      'is what every consumer has consumed, then commit again',
  ],
};

/** The error for what the addon reports when entry `lsn` is committed to the cursor. */
export function commitError(failure: NativeFailure, name: string, lsn: number): WalError {
  const { outcome, path, offset, value: firstLsn } = failure;
  if (outcome === Outcome.io && failure.io === IoCode.noSpace) return ioError(failure, noRoomToMove);
  if (outcome !== Outcome.checkpointed) return cursorError(failure);
  const lost = { from: lsn + 1, to: firstLsn - 1 };
  const what =
    lost.from > lost.to
      ? `nothing would prove any more that entry ${lsn} is the one it stands on`
      : `entries ${lost.from} to ${lost.to} after the one that is committed were dropped`;
  return withDetails(
    rangeError(
      'ERR_CHECKPOINTED',
      `${path}: cursor '${name}': ${what}, and it stays where it was. Go on with entry ${firstLsn}, and commit that`,
    ),
    { path, lsn: offset, firstLsn, lost },
  );
}

/** The error for what the addon reports of a cursor; `name`: of one that is being opened or deleted. */
export function cursorError(failure: NativeFailure, name?: string): WalError {
  const { outcome, path, offset, value } = failure;
  if (outcome === Outcome.closed) return cursorClosed();
  if (name === undefined) return walError(failure);
  const who = `${path}: cursor '${name}'`;
  if (outcome === Outcome.locked) {
    const holder = value > 0 ? `process ${value} has it` : 'someone has it';
    return withDetails(
      plainError('ERR_LOCKED', `${who} has one owner at a time, and ${holder} open; close it there`),
      value > 0 ? { path, holder: value } : { path },
    );
  }
  const then = 'Open it with { reset: true } to go on with the oldest entry';
  if (outcome === Outcome.checkpointed) {
    const lost = { from: offset, to: value - 1 };
    const what =
      lost.from > lost.to
        ? `nothing proves any more that entry ${offset - 1} was the one it stands on`
        : `entries ${lost.from} to ${lost.to}, which it had not consumed, were dropped`;
    return withDetails(rangeError('ERR_CHECKPOINTED', `${who}: ${what}. ${then}, ${value}`), {
      path,
      lsn: offset,
      firstLsn: value,
      lost,
    });
  }
  if (outcome === Outcome.truncated) {
    return withDetails(
      plainError(
        'ERR_TRUNCATED',
        `${who}: entry ${offset}, which it stands on, is not in the log any more, or is another one, after ` +
          'truncateAfter(), a crash or a restored backup. Undo what was made of entries that were taken back. ' +
          `${then}, and commit an earlier position if you have one. The last entry is ${value}`,
      ),
      { path },
    );
  }
  return walError(failure, { isOpen: false });
}

export function cursorDamaged(path: string, detail: string): WalError {
  return withDetails(
    plainError(
      'ERR_CURSOR_DAMAGED',
      `${path}: ${detail}; nothing was changed, and checkpoints wait until this is resolved. Restore the file, ` +
        'open the cursor with { reset: true } to begin again at the oldest entry, or delete it with deleteCursor()',
    ),
    { path },
  );
}

/** A cursor that stands after the last entry. */
export function cursorAhead(path: string, lsn: number, lastLsn: number): WalError {
  return withDetails(
    plainError(
      'ERR_TRUNCATED',
      `${path}: the cursor stands on entry ${lsn}, but the last entry is ${lastLsn}, after truncateAfter(), a crash or a restored ` +
        'backup; checkpoints wait until this is resolved. Undo what was made of the entries that are gone, then open the ' +
        'cursor with { reset: true }, or delete it with deleteCursor()',
    ),
    { path },
  );
}

export function cursorClosed(): WalError {
  return plainError('ERR_CURSOR_CLOSED', 'the cursor is closed; open it again');
}

/** What the addon returns, unless it is a failure. */
export function orThrowWal<T extends object | number>(result: T | NativeFailure): T {
  if (typeof result === 'object' && 'outcome' in result) throw walError(result);
  return result;
}
