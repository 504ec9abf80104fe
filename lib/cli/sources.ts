/** What the command line reads: logs of every kind, as one. */
import { existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { NativeSegmentScan } from '../../types/native';
import { addon } from '../base/native';
import { setInterval } from '../base/timers';
import { checkFormat, orThrow, type SegmentOptions } from '../durable/segment/options';
import { SegmentReader } from '../durable/segment/reader';
import { SegmentTail } from '../durable/segment/tail';
import type { WalCursorInfo } from '../durable/wal/cursor-list';
import type { WalFile } from '../durable/wal/options';
import { WalReader } from '../durable/wal/reader';
import type { WalError } from '../durable/wal/errors';
import { kindOf, readBytes, type Kind } from './kind';
import { formatBytes } from './output';

/** An entry of a log (its LSN, or its index), or a record of a segment (its offset). */
export interface Item {
  /** What `position` is, and is called as JSON. */
  readonly unit: 'lsn' | 'offset' | 'index';
  readonly position: number;
  readonly data: Uint8Array;
  readonly header?: Uint8Array;
  /** As JSON can have it; `data` has it as text. */
  readonly value?: unknown;
}

/** Bounds are inclusive; LSNs or offsets. */
export interface Bounds {
  from?: number | undefined;
  to?: number | undefined;
}

/** What is known of any log from outside. Names are those of the API, or of `node:fs`. */
export interface Outside {
  readonly path: string;
  /** Whether a writer has it open, as far as the system tells. */
  readonly isLocked: boolean;
  /** Bytes of the file system that it may still take. */
  readonly availableBytes: number;
}

export interface WalSummary extends Outside {
  readonly kind: 'write-ahead log';
  readonly logId: string;
  readonly firstLsn: number;
  readonly lastLsn: number;
  readonly provedLsn: number;
  /** Id of the process that has it open; absent when none has, or it is not known. */
  readonly holder?: number;
  readonly metadata: string;
  readonly files: readonly (WalFile & { readonly mtimeMs: number })[];
  readonly cursors: readonly (Partial<WalCursorInfo> & { readonly name: string })[];
}

export interface SegmentSummary extends Outside {
  readonly kind: 'segment file';
  readonly size: number;
  readonly records: number;
  readonly writeOffset: number;
  readonly remaining: number;
  readonly tornBytes: number;
  readonly validBytesAfter: number;
  readonly mtimeMs: number;
}

/** A process that has a log open which processes share. */
export interface SlotSummary {
  readonly slot: number;
  /** Segments outside of the window that it keeps from being used again. */
  readonly pinnedSegments: number;
  /** Of the process, where it is in the same PID namespace. */
  readonly pid?: number;
}

/** Of a log that processes share; numbers are of now. */
export interface SharedSummary extends Outside {
  readonly kind: 'shared log';
  readonly logId: string;
  readonly firstIndex: number;
  readonly endIndex: number;
  readonly ended: boolean;
  /** Columns with their types; without a schema there is one, `value`. */
  readonly columns: Readonly<Record<string, string>>;
  readonly codec?: string;
  readonly retainedCapacity: number;
  readonly segmentCapacity: number;
  readonly retainedSegments: number;
  readonly pinnedSegments: number;
  readonly segments: number;
  readonly segmentBytes: number;
  readonly size: number;
  readonly readersMax: number;
  /** Id of the process that has the claim; absent when none has, or it is not known. */
  readonly holder?: number;
  /** Of processes that have it open, and live. */
  readonly slots: readonly SlotSummary[];
  /** Of the run of the system in which the log was made. */
  readonly bootId: string;
  readonly isOfEarlierRun: boolean;
}

export type Summary = WalSummary | SegmentSummary | SharedSummary;

export interface Source {
  readonly kind: Kind;
  /** Position of the last entry, or where the file ends. */
  readonly end: number;
  /** What there is, for a user who asked for something else. */
  readonly extent: string;
  /** What is at its end, but may not be on disk. */
  readonly unproved?: Unproved | undefined;
  summary(): Summary;
  items(bounds?: Bounds): Iterable<Item>;
  /** The last `count` items, in order. */
  last(count: number): Item[];
  /** What comes after `position`, forever. */
  follow(position: number | undefined): AsyncIterable<Item>;
  close(): void;
}

/** Entries at the end of a write-ahead log that nothing proves to be on disk. */
export interface Unproved {
  readonly from: number;
  readonly to: number;
}

export function unprovedOf({ firstLsn, lastLsn, provedLsn }: WalReader): { unproved?: Unproved } {
  const from = Math.max(provedLsn + 1, firstLsn);
  return from > lastLsn ? {} : { unproved: { from, to: lastLsn } };
}

export function describeUnproved({ from, to }: Unproved): string {
  return (
    `${from === to ? `entry ${to} is` : `entries ${from} to ${to} are`} intact, but not proved to be on disk yet: ` +
    'opening the log for writing keeps what is intact, and makes sure'
  );
}

/** How often it is looked whether anyone reads on. */
const READER_POLL_MS = 250;

/** Ends the process when no one reads its standard output any more, though nothing is written. */
export function endWithReader(): void {
  setInterval(() => {
    if (addon.isReaderGone(1)) process.exit();
  }, READER_POLL_MS).unref();
}

export async function openSource(path: string, options: SegmentOptions): Promise<Source> {
  switch (kindOf(path, options)) {
    case 'wal':
      return walSource(path);
    case 'segment':
      return segmentSource(path, options);
    case 'shared':
      return (await import('./shared-log.js')).sharedSource(path);
  }
}

/** The same, but a log that processes share is waited for, and its followers go on with the log that takes its place. */
export async function waitForSource(path: string, options: SegmentOptions): Promise<Source> {
  if (Object.keys(options).length > 0 || (existsSync(path) && kindOf(path, options) !== 'shared')) {
    throw new Error(
      `${path}: --wait is for the file of a log that processes share; leave it out for any other`,
    );
  }
  return (await import('./shared-log.js')).waitedSource(path);
}

/** What the segment file holds; throws for one that opening would refuse. */
export function scanSegment(path: string, options: SegmentOptions): NativeSegmentScan {
  const format = checkFormat({ ...options });
  const found = orThrow(addon.scanSegment({ path, ...format }));
  if (found.records > 0 || found.nonzeroEnd === found.endOffset) return found;
  const intact =
    found.validBytesAfter > 0 ? ` (${found.validBytesAfter} bytes of intact records come later)` : '';
  throw new Error(
    `${path}: no record is at offset ${format.startOffset}, but the file is not empty${intact}: it is not a segment file, ` +
      'its first record is damaged, or --start-offset, --header-size or --checksum are not those it was made with',
  );
}

/** As the API has it, without what is undefined; of an error what JSON would leave out too. */
function cursorFacts({ error, name, ...cursor }: WalCursorInfo): WalSummary['cursors'][number] {
  const facts = Object.entries(cursor).filter(([, value]) => value !== undefined);
  const trouble =
    error === undefined ? {} : { error: { code: error.code, message: error.message } as WalError };
  return { name, ...Object.fromEntries(facts), ...trouble };
}

function outsideOf(path: string, lockedFile: string): Outside {
  return { path, isLocked: addon.isFileLocked(lockedFile), availableBytes: availableBytesAt(path) };
}

export function availableBytesAt(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

const HOLDER_BYTES = 24;

/** The writer leaves its process id at the beginning of LOCK; so did one that is gone. */
function holderOf(lockFile: string): { holder?: number } {
  const holder = /^[1-9]\d*/.exec(readBytes(lockFile, 0, HOLDER_BYTES).toString('latin1'));
  return holder === null ? {} : { holder: Number(holder[0]) };
}

/** A checkpoint may delete the file meanwhile. */
function mtimeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function summaryOfWal(path: string, reader: WalReader): WalSummary {
  const { firstLsn, lastLsn, provedLsn, logId = '' } = reader;
  const lockFile = join(path, 'LOCK');
  const outside = outsideOf(path, lockFile);
  return {
    kind: 'write-ahead log',
    ...outside,
    ...(outside.isLocked ? holderOf(lockFile) : {}),
    logId,
    firstLsn,
    lastLsn,
    provedLsn,
    metadata: formatBytes(reader.metadata),
    files: reader.files.map((file) => ({ ...file, mtimeMs: mtimeOf(file.path) })),
    cursors: reader.cursors().map(cursorFacts),
  };
}

function summaryOfSegment(path: string, options: SegmentOptions): SegmentSummary {
  const { size, records, endOffset, nonzeroEnd, validBytesAfter } = scanSegment(path, options);
  return {
    kind: 'segment file',
    ...outsideOf(path, path),
    size,
    records,
    writeOffset: endOffset,
    remaining: size - endOffset,
    tornBytes: nonzeroEnd - endOffset,
    validBytesAfter,
    mtimeMs: mtimeOf(path),
    ...options,
  };
}

function walSource(path: string): Source {
  const reader = WalReader.open(path, { tail: 'intact' });
  const { firstLsn, lastLsn } = reader;
  const { unproved } = unprovedOf(reader);
  const item = ({ lsn, data }: { lsn: number; data: Uint8Array }): Item => ({
    unit: 'lsn',
    position: lsn,
    data,
  });
  return {
    kind: 'wal',
    end: lastLsn,
    unproved,
    extent: lastLsn < firstLsn ? 'the log has no entries' : `the entries are ${firstLsn} to ${lastLsn}`,
    summary: () => summaryOfWal(path, reader),
    *items({ from, to } = {}) {
      const first = Math.max(from ?? 0, firstLsn);
      for (const entry of reader.entries(to === undefined ? { from: first } : { from: first, to }))
        yield item(entry);
    },
    last(count) {
      return [...reader.entries({ from: Math.max(lastLsn - count + 1, firstLsn) })].map(item);
    },
    async *follow(position) {
      const from = position === undefined ? firstLsn : position + 1;
      for await (const entries of reader.follow({ from })) yield* entries.map(item);
    },
    close: () => reader.close(),
  };
}

function segmentSource(path: string, options: SegmentOptions): Source {
  const reader = SegmentReader.open(path, { ...options, mode: 'pread' });
  const { startOffset = 0 } = options;
  try {
    reader.read(startOffset);
  } catch {
    // An empty log, or not one.
    scanSegment(path, options);
  }
  const item = (record: { offset: number; data: Uint8Array; header: Uint8Array }): Item => ({
    unit: 'offset',
    position: record.offset,
    data: record.data,
    header: record.header,
  });
  function* items({ from, to = Infinity }: Bounds = {}): Iterable<Item> {
    if (from !== undefined && from >= reader.limit) return;
    for (const record of reader.records(from)) {
      if (record.offset > to) return;
      yield item(record);
    }
  }
  return {
    kind: 'segment',
    end: reader.limit,
    get extent() {
      const { records, endOffset } = scanSegment(path, options);
      return `${records} records are at offsets from ${startOffset} on, and end at ${endOffset}`;
    },
    summary: () => summaryOfSegment(path, options),
    items,
    last(count) {
      // A ring: the oldest makes room.
      const ring: Item[] = [];
      let seen = 0;
      for (const one of items()) ring[seen++ % count] = one;
      const oldest = seen % count;
      return seen <= count ? ring : [...ring.slice(oldest), ...ring.slice(0, oldest)];
    },
    async *follow(position) {
      using tail = SegmentTail.open(path, options);
      for await (const record of tail.follow()) {
        if (position === undefined || record.offset > position) yield item(record);
      }
    },
    close: () => reader.close(),
  };
}
