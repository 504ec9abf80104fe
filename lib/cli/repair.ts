/** Making a log one that opens. Nothing is deleted. */
import { existsSync, statSync } from 'node:fs';

import type { SegmentOptions } from '../segment-options';
import { SegmentWriter } from '../segment-writer';
import { Wal } from '../wal';
import { salvage } from '../wal-salvage';
import { verify } from './verify';

/** Entries between two syncs of the copy. */
const SYNC_ENTRIES = 10_000;

export interface Repair {
  readonly isNeeded: boolean;
  readonly isDone: boolean;
  readonly lines: readonly string[];
}

export function repair(
  path: string,
  options: SegmentOptions,
  applies: boolean,
  target: string | undefined,
): Repair {
  return statSync(path).isDirectory()
    ? repairWal(path, applies, target ?? `${path.replace(/[\\/]+$/, '')}.repaired`)
    : repairSegment(path, options, applies);
}

function repairWal(path: string, applies: boolean, target: string): Repair {
  const { isSound, end, errors, lost } = verify(path, {}, false);
  if (isSound) {
    const lines = [`the log is sound: ${end}`];
    const isNeeded = /opening (sets|goes|makes)/.test(end);
    if (isNeeded && applies) {
      const wal = Wal.openSync(path);
      const { bytes, savedAs } = wal.recovery;
      wal.closeSync();
      lines.push(bytes > 0 ? `${bytes} bytes were set aside in ${savedAs}` : 'it was opened and closed');
    }
    return { isNeeded, isDone: isNeeded && applies, lines };
  }
  const lines = [
    ...errors,
    ...lost.map(({ from, to }) => `lost: entries ${from} to ${to}`),
    `what is left goes to a new log in ${target}; the damaged one is not touched`,
  ];
  if (applies) lines.push(copyWhatIsLeft(path, target));
  return { isNeeded: true, isDone: applies, lines };
}

/** A log has no holes: behind the first one, entries get other LSNs than they had. */
function copyWhatIsLeft(path: string, target: string): string {
  if (existsSync(target)) throw new Error(`${target} exists already; give another place with --to`);
  let wal: Wal | undefined;
  let count = 0;
  let moved: number | undefined;
  for (const found of salvage(path)) {
    if ('lost' in found) continue;
    wal ??= Wal.openSync(target, { firstLsn: found.lsn });
    const lsn = wal.write(found.data);
    if (lsn !== found.lsn) moved ??= found.lsn;
    if (++count % SYNC_ENTRIES === 0) wal.syncSync();
  }
  if (wal === undefined) return 'nothing is left to copy';
  wal.closeSync();
  const shift = moved === undefined ? '' : `; entries from ${moved} on have lower LSNs there`;
  return `${count} entries were copied${shift}`;
}

function repairSegment(path: string, options: SegmentOptions, applies: boolean): Repair {
  const { isSound, items, errors } = verify(path, options, false);
  const lines = [`${items} intact records`, ...errors];
  if (isSound) return { isNeeded: false, isDone: false, lines };
  lines.push('opening for writing ends the log there, and keeps what is behind in a file beside');
  if (applies) {
    const writer = SegmentWriter.open(path, options);
    const { bytes, validBytesAfter, savedAs } = writer.recovery!;
    writer.close();
    lines.push(`${bytes} bytes (${validBytesAfter} of intact records) were set aside in ${savedAs}`);
  }
  return { isNeeded: true, isDone: applies, lines };
}
