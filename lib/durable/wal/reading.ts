/**
 * Reading a log by its writer: what `Wal.entries()`, `get()` and `follow()` do once the log is open.
 * What a reader in another thread or process does is in reader.ts; both read by entries.ts
 * and follower.ts.
 */
import { WalCounter } from '../../base/codes';
import type { Followed } from '../../base/dispose';
import type { WalCore } from './core';
import {
  checkPast,
  checkRange,
  getEntry,
  iterate,
  readEntries,
  type WalEntry,
  type WalRange,
} from './entries';
import { orThrowWal } from './errors';
import { followLog, type WalFollowOptions } from './follower';
import { checkLsn } from './options';

export function entriesInRange(core: WalCore, range: WalRange | undefined): IterableIterator<WalEntry> {
  const checked = checkRange(range);
  core.checkOpen();
  const { source } = core;
  if (typeof checked.from === 'object') checkPast(source(), checked.from);
  return iterate(source, checked);
}

export function entryAt(core: WalCore, lsn: number): WalEntry | undefined {
  checkLsn('lsn', lsn, 1);
  return getEntry(core.source(), lsn);
}

/** It delivers what is on disk, and ends when the log is closed. */
export function followWriter(core: WalCore, options: WalFollowOptions | undefined): Followed<WalEntry[]> {
  core.checkOpen();
  return followLog(
    {
      pending: core.pending,
      isClosed: () => core.isClosed || core.isClosing,
      bounds: () => ({
        firstLsn: core.count(WalCounter.firstLsn),
        lastLsn: core.count(WalCounter.durableLsn),
        version: core.count(WalCounter.rotations),
      }),
      filesAfter: (file, into) => orThrowWal(core.native.filesAfter(file, into) ?? 0),
      check: (past) => checkPast(core.source(), past),
      read: (from, to) => readEntries(core.source(), from, to),
      wait: () => core.wait(),
    },
    options,
  );
}
