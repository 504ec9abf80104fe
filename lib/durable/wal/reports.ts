/** What a log tells of itself: what opening found, and counters. */
import { WalCounter, WalRow } from '../../base/codes';
import type { NativeWalRecovery } from '../../../types/native';

/** What `Wal.open()` found and did. It is on disk by then. */
export interface WalRecovery {
  /**
   * What had to be done: the log was made (`'created'`); nothing, because zeros
   * follow the last record of the newest file (`'clean'`: also after most
   * crashes, for a killed process rarely tears a record); the newest file is full
   * and another one was made (`'continued'`); a torn last record was quarantined
   * (`'truncated'`); a file whose making was interrupted was made again
   * (`'recreated'`).
   */
  readonly action: 'created' | 'clean' | 'continued' | 'truncated' | 'recreated';
  /** Intact records found in the newest file. */
  readonly records: number;
  /** Torn bytes that were moved to the quarantine file; 0: none. */
  readonly quarantinedBytes: number;
  /**
   * Torn bytes that were dropped without a copy, because the disk has no room
   * for one; 0: none. `strictTail` refuses to open instead.
   */
  readonly discardedBytes: number;
  /** Where the records of the newest file ended; what was quarantined began there. */
  readonly offset: number;
  /** The LSN that the next entry gets. */
  readonly lsn: number;
  /** The quarantine file, which keeps what was torn off. */
  readonly quarantinePath: string | undefined;
}

/** Counters of a log, since it was opened. */
export interface WalStats {
  readonly files: number;
  /** Bytes of all files. */
  readonly bytes: number;
  readonly syncs: number;
  /** Commits of the committer: each is one sync for many appends. */
  readonly commits: number;
  readonly rotations: number;
  readonly writtenBytes: number;
  /** Bytes of appends that are not committed yet. */
  readonly bytesInFlight: number;
}

/** Of the rows with which a log opens. */
const actions: Readonly<Partial<Record<WalRow, WalRecovery['action']>>> = {
  [WalRow.noFiles]: 'created',
  [WalRow.cleanEnd]: 'clean',
  [WalRow.sealedEnd]: 'continued',
  [WalRow.tornTail]: 'truncated',
  [WalRow.unfinishedFile]: 'recreated',
};

export function recoveryOf(native: NativeWalRecovery): WalRecovery {
  const { row, records, quarantinedBytes, discardedBytes, endOffset, endLsn, quarantinePath } = native;
  return {
    action: actions[row]!,
    records,
    quarantinedBytes: quarantinedBytes,
    discardedBytes,
    offset: endOffset,
    lsn: endLsn,
    quarantinePath: quarantinedBytes > 0 ? quarantinePath : undefined,
  };
}

/** Of the counters that the addon has set. */
export function statsOf(counters: Float64Array): WalStats {
  const count = (counter: WalCounter): number => counters[counter]!;
  return {
    files: count(WalCounter.files),
    bytes: count(WalCounter.bytes),
    syncs: count(WalCounter.syncs),
    commits: count(WalCounter.commits),
    rotations: count(WalCounter.rotations),
    writtenBytes: count(WalCounter.writtenBytes),
    bytesInFlight: count(WalCounter.queuedBytes),
  };
}
