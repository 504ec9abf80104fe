/** The cursors of a log, looked at without opening them. */
import { join } from 'node:path';

import type { NativeWalCursorInfo, NativeWalCursorState } from '../../../types/native';
import { WalCursorVerdict } from '../../base/codes';
import { addon } from '../../base/native';
import { cursorAhead, cursorDamaged, cursorError, orThrowWal, type WalError } from './errors';
import { hexOf, positionOf, type Past, type WalPosition } from './position';

/** A cursor of a log, open or not. */
export interface WalCursorInfo {
  readonly name: string;
  /** Undefined before the first commit, and when `error` is there. */
  readonly position: WalPosition | undefined;
  /** LSN of the next entry to consume; undefined when `error` is there. */
  readonly nextLsn: number | undefined;
  /** Entries that it has not consumed; undefined when `error` is there. */
  readonly lag: number | undefined;
  /** Id of the process that has it open; absent when none has, or it is not known. */
  readonly holder?: number;
  /**
   * Why it holds every checkpoint: `ERR_CURSOR_DAMAGED`; `ERR_FILE_ACCESS` or `ERR_IO`, when it cannot be read; or, in the writer's list alone, `ERR_TRUNCATED` when it stands
   * after the last entry. One whose entry was replaced has no error here: opening it says `ERR_TRUNCATED`.
   */
  readonly error?: WalError;
}

/** The past of what it stands on; undefined before the first commit. */
export function standsOn({ lsn, epoch, branch, logId }: NativeWalCursorState): Past | undefined {
  return epoch === 0 ? undefined : { lsn, epoch, branch, logId: hexOf(logId) };
}

/** What is wrong with it, whatever its name is. */
function damageOf({ verdict, logId }: NativeWalCursorInfo, log: string): string | undefined {
  if (verdict === WalCursorVerdict.newer) return 'the cursor is of a later release';
  if (verdict !== WalCursorVerdict.good) return 'the cursor is damaged';
  return hexOf(logId) === log ? undefined : 'the cursor is one of another log';
}

/** What a list compares cursors with. */
interface ListedLog {
  readonly logId: string;
  /** What the lag is counted from. */
  readonly lastLsn: number;
  /**
   * The last LSN that there is by now, asked when a cursor stands after `lastLsn`. Readers do not know it: an entry
   * that was committed may be one that is not proved to be on disk yet.
   */
  lastLsnNow?(): number;
}

/** The cursors of the log in the order of their names. */
export function listCursors(path: string, log: ListedLog) {
  const { logId, lastLsn } = log;
  const cursors = orThrowWal(addon.listWalCursors(path));
  let last: number | undefined;
  return cursors.map((cursor): WalCursorInfo => {
    const { name, lsn, holder } = cursor;
    const held = holder > 0 ? { holder } : {};
    const file = (): string => join(path, 'cursors', `cursor-${name}`);
    const failed = (error: WalError): WalCursorInfo => {
      return { name, position: undefined, nextLsn: undefined, lag: undefined, ...held, error };
    };
    if (cursor.failure !== undefined) return failed(cursorError(cursor.failure, name));
    const damage = damageOf(cursor, logId);
    if (damage !== undefined) return failed(cursorDamaged(file(), damage));
    // What was appended since is not ahead.
    if (lsn > lastLsn && lsn > (last ??= log.lastLsnNow?.() ?? Infinity))
      return failed(cursorAhead(file(), lsn, last));
    const past = standsOn(cursor);
    const position = past === undefined ? undefined : positionOf(past);
    return { name, position, nextLsn: lsn + 1, lag: Math.max(lastLsn - lsn, 0), ...held };
  });
}
