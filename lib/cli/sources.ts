/** What the command line reads: a write-ahead log's directory or a segment file, as one kind of thing. */
import { statSync } from 'node:fs';

import { SegmentReader } from '../segment-reader';
import { SegmentTail } from '../segment-tail';
import type { SegmentOptions } from '../segment-options';
import { WalReader } from '../wal-reader';

/** An entry of a log (its LSN), or a record of a segment (its offset). */
export interface Item {
  readonly position: number;
  readonly data: Uint8Array;
  readonly header?: Uint8Array;
}

/** Bounds are inclusive; LSNs or offsets. */
export interface Bounds {
  from?: number | undefined;
  to?: number | undefined;
}

export interface Source {
  readonly kind: 'wal' | 'segment';
  /** Position of the last item, or where reading ends: how far progress goes. */
  readonly end: number;
  readonly summary: Record<string, unknown>;
  items(bounds?: Bounds): Iterable<Item>;
  /** The last `count` items, in order. */
  last(count: number): Item[];
  /** What comes behind `position`, for ever. */
  follow(position: number | undefined): AsyncIterable<Item>;
  close(): void;
}

export function openSource(path: string, options: SegmentOptions): Source {
  return statSync(path).isDirectory() ? walSource(path) : segmentSource(path, options);
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

function walSource(path: string): Source {
  const reader = WalReader.open(path);
  const item = ({ lsn, data }: { lsn: number; data: Uint8Array }): Item => ({ position: lsn, data });
  return {
    kind: 'wal',
    end: reader.lastLsn,
    summary: {
      kind: 'write-ahead log',
      firstLsn: reader.firstLsn,
      lastLsn: reader.lastLsn,
      metadata: text(reader.metadata),
      files: reader.files.map(({ path: file, firstLsn, lastLsn, bytes }) => ({
        file,
        firstLsn,
        lastLsn,
        bytes,
      })),
    },
    *items({ from, to } = {}) {
      const first = Math.max(from ?? 0, reader.firstLsn);
      for (const entry of reader.entries(to === undefined ? { from: first } : { from: first, to }))
        yield item(entry);
    },
    last(count) {
      return [...reader.entries({ from: Math.max(reader.lastLsn - count + 1, reader.firstLsn) })].map(item);
    },
    async *follow(position) {
      const from = position === undefined ? reader.firstLsn : position + 1;
      for await (const entries of reader.follow({ from })) yield* entries.map(item);
    },
    close: () => reader.close(),
  };
}

function segmentSource(path: string, options: SegmentOptions): Source {
  const reader = SegmentReader.open(path, { ...options, mode: 'pread' });
  const item = (record: { offset: number; data: Uint8Array; header: Uint8Array }): Item => ({
    position: record.offset,
    data: record.data,
    header: record.header,
  });
  function* items({ from, to = Infinity }: Bounds = {}): Iterable<Item> {
    for (const record of reader.records(from)) {
      if (record.offset > to) return;
      yield item(record);
    }
  }
  return {
    kind: 'segment',
    end: reader.limit,
    summary: { kind: 'segment file', bytes: reader.limit, ...options },
    items,
    last(count) {
      const found: Item[] = [];
      for (const one of items()) {
        found.push(one);
        if (found.length > count) found.shift();
      }
      return found;
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
