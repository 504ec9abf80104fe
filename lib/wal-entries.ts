/** Reading entries by LSN, beside the writer or without it. */
import { join } from 'node:path';

import type { NativeWalChunk, NativeWalEntries } from '../types/native';
import { outOfRange } from './errors';
import { checkObject } from './segment-options';
import { orThrowWal } from './wal-errors';
import { checkLsn, type WalFile } from './wal-options';

/** One entry of a log. */
export interface WalEntry {
  /** Its log sequence number. */
  readonly lsn: number;
  /** What was appended. Entries that were read together share memory: copy one that is kept for long. */
  readonly data: Uint8Array;
  /** The batch it was appended in: the first LSN, and how many entries. */
  readonly batch?: { readonly first: number; readonly count: number };
}

/** Which entries to read; the bounds are inclusive. */
export interface WalRange {
  /** Default: the first one. */
  from?: number;
  /** Default: the last one there is when the iteration begins. */
  to?: number;
  /** From `to` down to `from`. */
  reverse?: boolean;
}

export interface CheckedRange {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly reverse: boolean;
}

/** What there is to read, at this moment. */
export interface EntrySource {
  readonly native: NativeWalEntries;
  readonly firstLsn: number;
  readonly lastLsn: number;
}

/** Data of entries that are read ahead. */
const READ_BYTES = 1 << 18;
const FIELDS = 5;
const FILE_FIELDS = 4;

export function checkRange(range: unknown): CheckedRange {
  const { from, to, reverse } = checkObject('range', range);
  if (reverse !== undefined && typeof reverse !== 'boolean') {
    throw outOfRange('range.reverse', 'a boolean', reverse);
  }
  return {
    from: from === undefined ? undefined : checkLsn('range.from', from),
    to: to === undefined ? undefined : checkLsn('range.to', to),
    reverse: reverse === true,
  };
}

export function entriesOf({ data, index }: NativeWalChunk): WalEntry[] {
  const entries: WalEntry[] = [];
  for (let at = 0; at < index.length; at += FIELDS) {
    const lsn = index[at]!;
    const bytes = new Uint8Array(data.buffer, index[at + 1], index[at + 2]);
    const count = index[at + 4]!;
    entries.push(
      count === 0 ? { lsn, data: bytes } : { lsn, data: bytes, batch: { first: index[at + 3]!, count } },
    );
  }
  return entries;
}

/** NativeWalEntries.files as objects, oldest first. */
export function filesOf(directory: string, fields: Float64Array, lastLsn: number): WalFile[] {
  const files: WalFile[] = [];
  let last = lastLsn;
  for (let at = fields.length - FILE_FIELDS; at >= 0; at -= FILE_FIELDS) {
    const number = fields[at]!;
    const firstLsn = fields[at + 1]!;
    files.push({
      path: join(directory, `wal-${String(number).padStart(6, '0')}.log`),
      number,
      firstLsn,
      lastLsn: Math.max(last, firstLsn - 1),
      bytes: fields[at + 2]!,
    });
    // What comes later takes back what is above its base.
    last = Math.min(last, firstLsn - 1);
  }
  return files.reverse();
}

/** Of each file, oldest first, up to the end of what was written to it. */
export function usedBytesOf(fields: Float64Array): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < fields.length; at += FILE_FIELDS) bytes.push(fields[at + 3]!);
  return bytes;
}

/** Entries from `from` on, at least one of those up to `to`. */
export function readEntries(
  native: NativeWalEntries,
  from: number,
  to: number,
  bytesMax = READ_BYTES,
): WalEntry[] {
  return entriesOf(orThrowWal(native.read(from, to, bytesMax)));
}

function* forwards(source: () => EntrySource, from: number, to: number): IterableIterator<WalEntry> {
  for (let lsn = from; lsn <= to;) {
    const entries = readEntries(source().native, lsn, to);
    // What was taken back meanwhile is not waited for.
    if (entries.length === 0) return;
    yield* entries;
    lsn = entries.at(-1)!.lsn + 1;
  }
}

function* backwards(source: () => EntrySource, from: number, to: number): IterableIterator<WalEntry> {
  for (let lsn = to; lsn >= from;) {
    const { native, firstLsn } = source();
    const begin = Math.max(orThrowWal(native.seekPoint(lsn)), firstLsn, from);
    const entries = readEntries(native, begin, lsn, Number.MAX_SAFE_INTEGER);
    if (entries.at(-1)?.lsn !== lsn) return;
    yield* entries.reverse();
    lsn = begin - 1;
  }
}

/** The entries of a range; `source` is asked again before each read. */
export function iterate(source: () => EntrySource, range: CheckedRange): IterableIterator<WalEntry> {
  const { firstLsn, lastLsn } = source();
  const from = range.from ?? firstLsn;
  const to = Math.min(range.to ?? lastLsn, lastLsn);
  return range.reverse ? backwards(source, from, to) : forwards(source, from, to);
}

export function getEntry({ native, firstLsn, lastLsn }: EntrySource, lsn: number): WalEntry | undefined {
  if (lsn < firstLsn || lsn > lastLsn) return undefined;
  return readEntries(native, lsn, lsn, 1)[0];
}
