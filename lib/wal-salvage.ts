import { addon } from './native';
import { checkPath } from './segment-options';
import { entriesOf, type WalEntry } from './wal-entries';
import { orThrowWal } from './wal-errors';
import type { WalOptions } from './wal-options';

/** A range of entries that cannot be read any more; the bounds are inclusive. */
export interface LostEntries {
  readonly lost: { readonly from: number; readonly to: number };
}

const READ_BYTES = 1 << 20;
const FILE_FIELDS = 4;

/**
 * What can still be read of a damaged log, in order: every intact entry, and in
 * its place every range of entries that are lost. What was lost behind the last
 * intact entry, nobody can know. Changes nothing.
 *
 * ```ts
 * for (const found of salvage('orders')) {
 *   if ('lost' in found) console.error('lost', found.lost);
 *   else copy.write(found.data);
 * }
 * ```
 *
 * @throws while iterating `ERR_FORMAT` when no file has an intact header,
 * `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`, `ERR_IO`; at once
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function salvage(directory: string): IterableIterator<WalEntry | LostEntries> {
  return salvaged(checkPath(directory, 'directory'));
}

/** What a log with the same entries is to be created with. */
export function optionsOfRemains(directory: string): Pick<WalOptions, 'metadata' | 'segmentBytes'> {
  const { metadata, segmentBytes } = orThrowWal(addon.findWalRemains(directory));
  return { metadata, segmentBytes };
}

function* salvaged(path: string): IterableIterator<WalEntry | LostEntries> {
  const { logId, oldestLsn, files } = orThrowWal(addon.findWalRemains(path));
  let next = oldestLsn;
  for (let at = 0; at < files.length; at += FILE_FIELDS) {
    const limit = firstLsnBehind(files, at);
    for (const entry of entriesOfFile(path, files[at]!, logId)) {
      // Taken back by a truncation, or let go of by a checkpoint.
      if (entry.lsn >= limit || entry.lsn < next) continue;
      if (entry.lsn > next) yield { lost: { from: next, to: entry.lsn - 1 } };
      next = entry.lsn + 1;
      yield entry;
    }
    // The next file says where it begins, unless its header is damaged.
    const behind = files[at + FILE_FIELDS + 1] ?? 0;
    if (behind > next && behind === limit) {
      yield { lost: { from: next, to: behind - 1 } };
      next = behind;
    }
  }
}

/** Where the files behind this one begin, the lowest of them. */
function firstLsnBehind(files: Float64Array, at: number): number {
  let limit = Infinity;
  for (let later = at + FILE_FIELDS; later < files.length; later += FILE_FIELDS) {
    if (files[later + 1]! > 0) limit = Math.min(limit, files[later + 1]!);
  }
  return limit;
}

function* entriesOfFile(path: string, number: number, logId: Uint8Array): IterableIterator<WalEntry> {
  for (let from = 1; from > 0;) {
    const part = orThrowWal(addon.salvageWalFile(path, number, logId, from, READ_BYTES));
    yield* entriesOf(part);
    from = part.nextOffset;
  }
}
