/** The cursors of a log, looked at without opening them. */
import type { NativeWalCursorState } from '../../../types/native';
import { WalCursorVerdict } from '../../base/codes';
import { plainError } from '../../base/errors';
import { addon } from '../../base/native';
import { orThrowWal, type WalError } from './errors';
import { hexOf, positionOf, type Past, type WalPosition } from './position';

/** A cursor of a log, open or not. */
export interface WalCursorInfo {
  readonly name: string;
  /** Undefined before the first commit, and when it is damaged. */
  readonly position: WalPosition | undefined;
  /** LSN of the next entry to consume; undefined when it is damaged. */
  readonly nextLsn: number | undefined;
  /** Entries that it has not consumed; undefined when it is damaged. */
  readonly lag: number | undefined;
  /** Why it holds every checkpoint. */
  readonly error?: WalError;
}

/** The past of what it stands on; undefined before the first commit. */
export function standsOn({ lsn, epoch, branch, logId }: NativeWalCursorState): Past | undefined {
  return epoch === 0 ? undefined : { lsn, epoch, branch, logId: hexOf(logId) };
}

/** The cursors of a log whose last entry is `lastLsn`, in the order of their names. */
export function listCursors(path: string, lastLsn: number): WalCursorInfo[] {
  return orThrowWal(addon.listWalCursors(path)).map((cursor) => {
    const { name, verdict, lsn } = cursor;
    if (verdict !== WalCursorVerdict.good) {
      const isNewer = verdict === WalCursorVerdict.newer;
      const error = plainError(
        'ERR_CURSOR_DAMAGED',
        `${path}: cursor '${name}' is ${isNewer ? 'of a later release' : 'damaged'}`,
      );
      return { name, position: undefined, nextLsn: undefined, lag: undefined, error };
    }
    const past = standsOn(cursor);
    const position = past === undefined ? undefined : positionOf(past);
    return { name, position, nextLsn: lsn + 1, lag: Math.max(lastLsn - lsn, 0) };
  });
}
