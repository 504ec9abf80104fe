/** Making a log one that opens. Nothing is deleted. */
import { WalRow } from '../base/codes';
import { existsSync, rmSync } from 'node:fs';

import type { SegmentOptions } from '../durable/segment/options';
import { SegmentWriter } from '../durable/segment/writer';
import { Wal } from '../durable/wal/wal';
import { optionsOfRemains, salvage } from '../durable/wal/salvage';
import { kindOnDisk } from './kind';
import { describeVerdict, verifySegment, verifyWal } from './verify';

/** Entries between two syncs of the copy. */
const SYNC_ENTRIES = 10_000;
const NOT_YET = 'nothing was changed; --apply does it';

export interface RepairOptions {
  readonly segment: SegmentOptions;
  readonly applies: boolean;
  /** Where a copy goes. */
  readonly target: string | undefined;
  /** Whether intact records of a segment file may be quarantined too. */
  readonly dropsIntact: boolean;
}

export interface Repair {
  /** Damage is still there. */
  readonly isDamaged: boolean;
  readonly lines: readonly string[];
}

export function repair(path: string, options: RepairOptions): Repair {
  if (kindOnDisk(path, options.segment, 'repair') === 'wal') {
    if (options.dropsIntact)
      throw new Error(`${path}: this is a directory; --drop-intact is for segment files`);
    return repairWal(path, options.applies, options.target ?? `${path.replace(/[\\/]+$/, '')}.repaired`);
  }
  if (options.target !== undefined) {
    throw new Error(`${path}: this is a file; --to is for directories of write-ahead logs`);
  }
  return repairSegment(path, options);
}

function repairWal(path: string, applies: boolean, target: string): Repair {
  const { verdict, end, firstMoved } = verifyWal(path, false);
  const lines = describeVerdict(verdict);
  if (verdict.isSound) {
    lines.push('the log is sound');
    if (end === WalRow.tornTail || end === WalRow.unfinishedFile)
      lines.push(applies ? openAndClose(path) : NOT_YET);
    return { isDamaged: false, lines };
  }
  if (verdict.items === 0) {
    lines.push('no entry is left to copy');
    return { isDamaged: true, lines };
  }
  if (existsSync(target)) throw new Error(`${target} exists already; give another place with --to`);
  const moves = firstMoved === undefined ? '' : `; entries from ${firstMoved} on get lower LSNs there`;
  if (applies) {
    lines.push(`${copyWhatIsLeft(path, target)} entries were copied to ${target}${moves}`);
  } else {
    lines.push(`what is intact goes to a new log in ${target}, and the damaged one is not touched${moves}`);
    lines.push(NOT_YET);
  }
  return { isDamaged: !applies, lines };
}

function openAndClose(path: string): string {
  const wal = Wal.openSync(path);
  const { quarantinedBytes, quarantinePath } = wal.recovery;
  wal.closeSync();
  return quarantinePath === undefined
    ? 'it was opened and closed'
    : `${quarantinedBytes} bytes were moved to ${quarantinePath}`;
}

/** A part of a copy would look like all of it, and have its name. Nothing was there before. */
function removePart(wal: Wal, target: string): void {
  try {
    wal.closeSync();
  } catch {
    // The first failure is the one to tell of.
  }
  rmSync(target, { recursive: true, force: true });
}

/** A log has no holes: after the first one, entries get other LSNs than they had. */
function copyWhatIsLeft(path: string, target: string): number {
  let wal: Wal | undefined;
  let count = 0;
  try {
    for (const found of salvage(path)) {
      if ('lost' in found) continue;
      wal ??= Wal.openSync(target, { ...optionsOfRemains(path), firstLsn: found.lsn });
      wal.write(found.data);
      if (++count % SYNC_ENTRIES === 0) wal.syncSync();
    }
    wal?.closeSync();
    return count;
  } catch (error) {
    if (wal !== undefined) removePart(wal, target);
    throw error;
  }
}

function repairSegment(path: string, { segment, applies, dropsIntact }: RepairOptions): Repair {
  const verdict = verifySegment(path, segment);
  const lines = describeVerdict(verdict);
  const { isSound, tornBytes, validBytesAfter } = verdict;
  if (isSound) lines.push('the file is sound');
  if (tornBytes === 0) return { isDamaged: false, lines };
  if (!isSound) {
    lines.push(
      'opening for writing ends the log there, and keeps what is after it in a file next to it, with the intact records',
    );
  }
  if (!applies) {
    lines.push(isSound ? NOT_YET : 'nothing was changed; --apply --drop-intact does it');
    return { isDamaged: !isSound, lines };
  }
  if (!isSound && !dropsIntact) {
    lines.push(
      `nothing was changed: ${validBytesAfter} bytes of intact records would leave the log; ` +
        'copy them first, or add --drop-intact',
    );
    return { isDamaged: true, lines };
  }
  const writer = SegmentWriter.openSync(path, segment);
  const recovery = writer.recovery!;
  writer.closeSync();
  lines.push(
    `${recovery.quarantinedBytes} bytes (${recovery.validBytesAfter} of intact records) were moved to ${recovery.quarantinePath}`,
  );
  return { isDamaged: false, lines };
}
