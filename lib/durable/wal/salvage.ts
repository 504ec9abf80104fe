/** What can still be read of a damaged log, entry by entry; nothing is changed. */
import { FILE_FIELDS, FileField, Outcome, WAL_FILE_BYTES_MIN, type WalRow } from '../../base/codes';
import type { NativeFailure } from '../../../types/native';
import { addon } from '../../base/native';
import { checkPath } from '../options';
import { entriesOf, type WalEntry } from './entries';
import { orThrowWal, walError, type WalError } from './errors';
import type { WalOptions } from './options';
import { hexOf } from './position';

/** A range of entries that cannot be read any more; the bounds are inclusive. */
export interface LostEntries {
  readonly lost: { readonly from: number; readonly to: number };
}

/** What {@link salvage} gives. */
export interface Salvage extends IterableIterator<WalEntry | LostEntries> {
  /**
   * What is wrong with the log: the error with which `Wal.open()` (with
   * `verifyOnOpen`) refuses it, and `WalReader` too. Undefined for a log that
   * opens. All files are read to find out, each time.
   *
   * @throws `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`, `ERR_IO`
   */
  readonly damage: WalError | undefined;
}

const READ_BYTES = 1 << 20;

/**
 * What can still be read of a damaged log, in order: every intact entry, and in
 * its place every range of entries that are lost. What was lost after the last
 * intact entry, no one can know. Changes nothing.
 *
 * ```ts
 * for (const found of salvage('orders')) {
 *   if ('lost' in found) console.error('lost', found.lost);
 *   else copy.write(found.data);
 * }
 * ```
 *
 * @throws while iterating what {@link Salvage.damage} is when no file has an
 * intact header (`ERR_CORRUPT`, `ERR_FORMAT`), `ERR_FILE_NOT_FOUND`, `ERR_FILE_ACCESS`, `ERR_IO`; at once
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`
 */
export function salvage(directory: string): Salvage {
  const path = checkPath(directory, 'directory');
  return Object.defineProperty(salvaged(path), 'damage', {
    get: () => {
      const found = classifyLog(path);
      return typeof found === 'number' ? undefined : walError(found);
    },
  }) as Salvage;
}

/** The row of core/durable/wal/wal_classify.h with which the log opens, or why it does not. All files are read. */
export function classifyLog(path: string): WalRow | NativeFailure {
  const found = addon.verifyWal(path);
  if (typeof found === 'number' || found.outcome === Outcome.corrupt || found.outcome === Outcome.format)
    return found;
  throw walError(found);
}

/** What a log with the same entries is to be created with. */
export function optionsOfRemains(directory: string): Pick<WalOptions, 'metadata' | 'segmentBytes'> {
  const { metadata, segmentBytes } = orThrowWal(addon.findWalRemains(directory));
  // Shorter is a file for a full disk, of a release that did not say there how long the others are.
  return segmentBytes < WAL_FILE_BYTES_MIN ? { metadata } : { metadata, segmentBytes };
}

function* salvaged(path: string): IterableIterator<WalEntry | LostEntries> {
  const { logId, oldestLsn, files } = orThrowWal(addon.findWalRemains(path));
  const limits = firstLsnsAfter(files);
  let next = oldestLsn;
  for (let at = 0; at < files.length; at += FILE_FIELDS) {
    const limit = limits[at / FILE_FIELDS]!;
    for (const entry of entriesOfFile(path, files[at + FileField.number]!, logId)) {
      // Taken back by a truncation, or dropped by a checkpoint.
      if (entry.lsn >= limit || entry.lsn < next) continue;
      if (entry.lsn > next) yield { lost: { from: next, to: entry.lsn - 1 } };
      next = entry.lsn + 1;
      yield entry;
    }
    // The next file says where it begins, unless its header is damaged.
    const after = files[at + FILE_FIELDS + FileField.baseLsn] ?? 0;
    if (after > next && after === limit) {
      yield { lost: { from: next, to: after - 1 } };
      next = after;
    }
  }
}

/** Of each file, where the files after it begin, the lowest of them. */
function firstLsnsAfter(files: Float64Array): Float64Array {
  const limits = new Float64Array(files.length / FILE_FIELDS);
  let limit = Infinity;
  for (let at = limits.length - 1; at >= 0; --at) {
    limits[at] = limit;
    const firstLsn = files[at * FILE_FIELDS + FileField.baseLsn]!;
    if (firstLsn > 0) limit = Math.min(limit, firstLsn);
  }
  return limits;
}

function* entriesOfFile(path: string, number: number, logId: Uint8Array): IterableIterator<WalEntry> {
  for (let from = 1; from > 0;) {
    const part = orThrowWal(addon.salvageWalFile({ path, file: number, logId, from, bytesMax: READ_BYTES }));
    yield* entriesOf(part, hexOf(logId));
    from = part.nextOffset;
  }
}
