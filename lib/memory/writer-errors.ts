/** What a writer refuses, as errors. */
import type { NativeStatus } from '../../types/native';
import { Status } from '../base/codes';
import { plainError, rangeError, type AtomicLogError } from '../base/errors';

/** `hasEnded`: whether it was this writer that ended the log. */
export function closed({ hasEnded }: { readonly hasEnded: boolean }): AtomicLogError {
  if (hasEnded) {
    return plainError(
      'ERR_LOG_ENDED',
      'this writer has ended its log, which takes no entries and no claims any more; make a new log to go on, where ' +
        "processes share it with AtomicLog.open(path, { create: 'replace-ended' })",
    );
  }
  return plainError(
    'ERR_WRITER_CLOSED',
    'the writer is closed; claim a new one with log.tryClaimWriter(), or open the log again where AtomicLog.open() made it',
  );
}

export function spanOpen(): AtomicLogError {
  return plainError('ERR_SPAN_OPEN', 'a span is open; commit it first (commit(0) returns the room)');
}

export function busy(): AtomicLogError {
  return plainError(
    'ERR_WRITER_BUSY',
    "the codec's encodeInto() is writing an entry; append the next one when it has returned",
  );
}

/** `what` is refused meanwhile. */
export function taking(what = 'append'): AtomicLogError {
  return plainError(
    'ERR_WRITER_BUSY',
    `a hook of the log runs inside of an append; ${what} after it has returned`,
  );
}

/** `status`: what the addon returned. `isShared`: whether the log's mapping is. */
export function rollFailed(status: NativeStatus, nextIndex: number, isShared: boolean): AtomicLogError {
  if (status === -Status.pinned) {
    return plainError(
      'ERR_PINNED_BYTES',
      'readers pin more than the pinnedBytesMax of this log, or its extraSegments where processes share it: stats() ' +
        'tells which thread, or process (as `npx atomic-log inspect PATH`); close or refresh old snapshots. ' +
        `The entries before index ${nextIndex} are kept, and appending works again once readers release memory`,
    );
  }
  return status === -Status.outOfMemory || status === -Status.uncommitted
    ? plainError(
        'ERR_OUT_OF_MEMORY',
        (isShared
          ? 'the shared memory of this log cannot hold another segment: readers pin too many outside the window ' +
            '(stats() tells who; close or refresh old snapshots), or the system refused to let it grow; '
          : 'the system refused memory for another segment; close logs that are done and old snapshots ' +
            '(stats() tells who pins what), or make the log with smaller segments; ') +
          `the entries before index ${nextIndex} are kept, and appending works again once there is memory`,
      )
    : rangeError(
        'ERR_OUT_OF_RANGE',
        `the log is full: indexes end at 2 ** 53, and ${nextIndex} is in its last segment`,
      );
}
