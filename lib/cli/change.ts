/** What changes a write-ahead log from the command line: a copy of it, and dropping its oldest entries. */
import { codeOf } from '../base/errors';
import { Wal } from '../durable/wal/wal';
import { byteScale } from './inspect';
import { kindOnDisk } from './kind';
import { counted } from './words';

function checkWal(path: string, command: string): void {
  if (kindOnDisk(path, {}, command) === 'segment')
    throw new Error(
      `${path}: this is a file; ${command} is for directories of write-ahead logs, and a segment file can be copied as it is`,
    );
}

/** A log has one writer: another process that has it open can do the same by the API. */
async function openWal(path: string, call: string): Promise<Wal> {
  try {
    return await Wal.open(path);
  } catch (error) {
    if (codeOf(error) !== 'ERR_LOCKED') throw error;
    throw new Error(`${(error as Error).message}; or have that process call ${call}`, { cause: error });
  }
}

/** Copies the log to a new directory; what it says of it. */
export async function backup(path: string, target: string): Promise<string[]> {
  checkWal(path, 'backup');
  await using wal = await openWal(path, 'wal.backup(directory)');
  const { firstLsn, lastLsn } = wal;
  await wal.backup(target);
  const entries = lastLsn < firstLsn ? 'no entries' : `entries ${firstLsn} to ${lastLsn}`;
  return [`${entries} were copied to ${target}, and are on disk there`];
}

export interface CheckpointOptions {
  readonly applies: boolean;
  /** Whether cursors are passed. */
  readonly force: boolean;
}

/** Drops the entries up to `lsn`, or says what would go. */
export async function checkpoint(
  path: string,
  lsn: number,
  { applies, force }: CheckpointOptions,
): Promise<string[]> {
  checkWal(path, 'checkpoint');
  await using wal = await openWal(path, 'wal.checkpoint(lsn)');
  const { firstLsn, lastLsn } = wal;
  if (lsn > lastLsn) {
    const extent =
      lastLsn < firstLsn ? 'the log has no entries' : `the entries are ${firstLsn} to ${lastLsn}`;
    throw new Error(`${path}: there is no entry ${lsn}; ${extent}`);
  }
  const scale = await byteScale();
  if (!applies) {
    const slowest = wal
      .cursors()
      .filter(({ nextLsn }) => nextLsn === undefined || nextLsn <= lsn)
      .map(({ name, nextLsn }) => `${name} (${nextLsn === undefined ? 'damaged' : `next is ${nextLsn}`})`);
    const held = slowest.length > 0 && !force ? [`it stops before the cursors ${slowest.join(', ')}`] : [];
    const dropped = lsn < firstLsn ? 'no entries' : `entries ${firstLsn} to ${lsn}`;
    return [`${dropped} would be dropped`, ...held, 'nothing was changed; --apply does it'];
  }
  const before = wal.stats();
  await wal.checkpoint(lsn, { force });
  const after = wal.stats();
  const files = counted(before.files - after.files, 'file', 'files');
  return [
    `${counted(wal.firstLsn - firstLsn, 'entry was', 'entries were')} dropped: the log begins at ${wal.firstLsn} now`,
    `deleted: ${files}, ${scale(before.bytes - after.bytes)}`,
  ];
}
