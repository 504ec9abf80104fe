/**
 * Entries that have left the window, read from the disk and shown as those in memory are: each part is stored in a
 * small log of its own, whose batches are delivered.
 *
 * 1. It delivers whole frames from the entry that is asked for first, without gap or repetition, as far as it is
 *    proved that they are on disk.
 * 2. What a checkpoint has dropped counts as lost, as what has left the window of a log in memory does.
 */
import type { WalEntry } from '../durable/wal/entries';
import type { WalReader } from '../durable/wal/reader';
import { attachToView, AtomicLog, claimForJournal } from '../memory/atomic-log';
import { BatchSource, type Batch, type CheckedFollowOptions } from '../memory/follower';
import type { Layout } from '../memory/layout';
import { makeView } from '../memory/open-log';
import { storeSources, type Writer } from '../memory/writer';
import { codeOf } from '../base/errors';
import { END } from '../base/follow-loop';
import { FrameColumns, frameEntries } from './frame-columns';

/**
 * Entries of a part, but for a frame that has more. While it is made, this thread does nothing else: four times as many
 * are no faster, and the longest pause grows by a quarter.
 */
const PART_ENTRIES = 1024;
const NO_PENDING = new Set<never>();

export type ReplayOptions = Pick<CheckedFollowOptions, 'batchEntriesMax' | 'throwsWhenLost'>;

/** What is proved to be on disk, by whoever reads it. */
export type ReplayedLog = Pick<WalReader, 'path' | 'firstLsn' | 'lastLsn' | 'refresh' | 'get' | 'entries'>;

/** The log in the directory, and what its entries are. */
export interface Replayed {
  readonly reader: ReplayedLog;
  readonly layout: Layout;
  readonly layoutNumber: number;
  /** LSN of the entry with index 0. */
  readonly base: number;
  readonly mapping: 'external' | 'shared';
}

export function isCheckpointed(error: unknown): boolean {
  return codeOf(error) === 'ERR_CHECKPOINTED';
}

/** LSN of the first entry of a window of so many: where a frame begins that is there. */
export function firstOf(wal: Pick<WalReader, 'firstLsn' | 'lastLsn' | 'get'>, entries: number): number {
  const { firstLsn, lastLsn } = wal;
  const first = Math.max(firstLsn, lastLsn - entries + 1);
  const batch = first <= lastLsn ? wal.get(first)?.batch : undefined;
  if (batch === undefined) return first;
  return batch.first >= firstLsn ? batch.first : batch.first + batch.count;
}

/** LSN of the oldest entry that can be read. Others may drop entries meanwhile: then it is a later one. */
export function oldestOf(reader: ReplayedLog): number {
  reader.refresh();
  for (;;) {
    const { firstLsn } = reader;
    try {
      return firstOf(reader, Infinity);
    } catch (error) {
      // A reader that finds entries gone has looked where the log begins now.
      if (!isCheckpointed(error) || reader.firstLsn === firstLsn) throw error;
    }
  }
}

export class Replay<T> {
  readonly #from: Replayed;
  readonly #options: ReplayOptions;
  readonly #columns: FrameColumns;
  /** Index of the next entry that is to be read. */
  #next: number;
  /** Whether that is the first one of a frame. */
  #isAtFrame = false;
  /** Index after the last one that was delivered. */
  #delivered: number;
  #entries: Iterator<WalEntry> | undefined;
  /** It was read, and did not fit into the part before. */
  #held: WalEntry | undefined;
  #writer: Writer<T> | undefined;
  #source: BatchSource<T> | undefined;
  #dataBytes: number;
  #capacity = 0;

  constructor(from: Replayed, next: number, options: ReplayOptions) {
    this.#from = from;
    this.#next = this.#delivered = next;
    this.#options = options;
    this.#columns = new FrameColumns(from.layout, from.layoutNumber, from.reader.path);
    this.#dataBytes = from.layout.dataBytes;
  }

  /** Index of the next entry that take() would deliver. */
  get next(): number {
    return this.#delivered;
  }

  /** The next batch; undefined when all was delivered that can be read, or up to `end`. */
  take(end: number): Batch<T> | undefined {
    let batch = this.#source?.take();
    if (batch === undefined || batch === END) {
      if (this.#delivered >= end) return undefined;
      this.#read(end);
      if (this.#columns.length === 0) return undefined;
      this.#store();
      batch = this.#source!.take();
    }
    if (batch === undefined || batch === END) return undefined;
    this.#delivered = batch.firstIndex + batch.length;
    return batch;
  }

  release(): void {
    this.#source?.release();
  }

  end(): void {
    this.#closeLog();
    this.#entries = this.#held = undefined;
  }

  /** Collects frames up to the entry `end`, as many as are delivered together. */
  #read(end: number): void {
    const { base } = this.#from;
    const columns = this.#columns;
    columns.clear();
    while (this.#next < end) {
      const entry = this.#held ?? this.#read1();
      if (entry === undefined) return;
      this.#held = entry;
      const count = frameEntries(entry);
      const index = entry.lsn - base;
      // After a gap the entries are those of another log.
      if (columns.length > 0 && (index > this.#next || this.#isFull(count, entry.data.length))) return;
      this.#held = undefined;
      columns.add(entry, Math.max(0, this.#next - index));
      this.#next = index + count;
      this.#isAtFrame = true;
    }
  }

  #isFull(count: number, bytes: number): boolean {
    return (
      this.#columns.length + count > PART_ENTRIES ||
      (this.#dataBytes > 0 && this.#columns.dataBytes + bytes > this.#dataBytes)
    );
  }

  /** The entry that has the frame of the next one, or of the first one that there is. */
  #read1(): WalEntry | undefined {
    for (let isFresh = false; ;) {
      if (this.#entries === undefined) {
        if (isFresh || !this.#seek()) return undefined;
        isFresh = true;
      }
      const entry = this.#nextEntry();
      if (entry === undefined) continue;
      const count = frameEntries(entry);
      if (count > 0 && entry.lsn + count > this.#next + this.#from.base) return entry;
    }
  }

  #nextEntry(): WalEntry | undefined {
    try {
      const result = this.#entries!.next();
      if (result.done !== true) return result.value;
    } catch (error) {
      if (!isCheckpointed(error)) throw error;
    }
    this.#entries = undefined;
    return undefined;
  }

  /** The batch that the entry is in; null when a checkpoint is dropping it now. */
  #batchOf(lsn: number): WalEntry['batch'] | null {
    try {
      return this.#from.reader.get(lsn)?.batch;
    } catch (error) {
      if (isCheckpointed(error)) return null;
      throw error;
    }
  }

  /** Begins to read where the next entry is, or would be; false when there is nothing. */
  #seek(): boolean {
    const { reader, base } = this.#from;
    reader.refresh();
    const { firstLsn, lastLsn } = reader;
    let lsn = Math.max(this.#next + base, firstLsn);
    if (lsn > lastLsn) return false;
    if (!this.#isAtFrame || lsn !== this.#next + base) {
      const batch = this.#batchOf(lsn);
      if (batch === null) return false;
      // A checkpoint may end within a frame, and drop what the rest of it needs.
      if (batch !== undefined) lsn = batch.first >= firstLsn ? batch.first : batch.first + batch.count;
      if (lsn > lastLsn) return false;
    }
    // What is read at once keeps this thread for as long. The writer's own log has entries that are not proved.
    this.#entries = reader.entries({ from: lsn, to: Math.min(lsn + PART_ENTRIES - 1, lastLsn) });
    return true;
  }

  /** Stores what was collected, where it is delivered from. */
  #store(): void {
    const { length } = this.#columns;
    const index = this.#next - length;
    const { dataBytes } = this.#columns;
    if (this.#source === undefined || this.#source.next !== index || !this.#hasRoom(length, dataBytes))
      this.#openLog(index, length, dataBytes);
    this.#writer![storeSources](this.#columns.columns(this.#dataBytes));
  }

  #hasRoom(length: number, dataBytes: number): boolean {
    return length <= this.#capacity && dataBytes <= this.#dataBytes;
  }

  /** The log has room for a part in a segment, and so for all of it in its window. */
  #openLog(firstIndex: number, length: number, dataBytes: number): void {
    this.#closeLog();
    const { layout, mapping } = this.#from;
    this.#capacity = Math.max(length, PART_ENTRIES);
    const hasRoom = dataBytes <= this.#dataBytes;
    if (!hasRoom) this.#dataBytes = dataBytes;
    const view = makeView({
      retainedCapacity: this.#capacity,
      segmentCapacity: this.#capacity,
      pinnedBytesMax: Infinity,
      firstIndex,
      mapping,
      layout: this.#dataBytes === layout.dataBytes ? layout : { ...layout, dataBytes: this.#dataBytes },
    });
    const log = new AtomicLog<T>(attachToView, view);
    this.#writer = log[claimForJournal]()!;
    this.#source = new BatchSource<T>(log, view, this.#delivered, this.#options, NO_PENDING);
  }

  #closeLog(): void {
    this.#source?.release();
    this.#source?.end();
    this.#writer?.close();
    this.#writer?.log.close();
    this.#writer = this.#source = undefined;
  }
}
