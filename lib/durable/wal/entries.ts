/** Reading entries by LSN, next to the writer or without it. */
import { ENTRY_FIELDS, EntryField, PAST_FIELDS, PastField } from '../../base/codes';
import type { NativeWalChunk, NativeWalEntries } from '../../../types/native';
import { bufferOver } from '../../base/buffer';
import { checkFlag, optionsOf } from '../../base/checks';
import { checkpointed, foreignPosition, orThrowWal, walError } from './errors';
import { checkLsn } from './options';
import { checkFrom, positionOf, type Past, type WalPosition } from './position';

/** One entry of a log. */
export interface WalEntry {
  /** Its log sequence number. */
  readonly lsn: number;
  /** What was appended. Entries that were read together share memory: copy one that is kept for long. */
  readonly data: Buffer;
  /** The batch it was appended in: the first LSN, and how many entries; `truncateAfter()` may have left only the first of them. */
  readonly batch?: { readonly first: number; readonly count: number };
  /**
   * Names this entry and its past: save it, and give it back as `from` to go on
   * after it. It is made when it is asked for, so neither `{ ...entry }` nor
   * `JSON.stringify(entry)` has it: copy it by name.
   */
  readonly position: WalPosition;
}

/** Which entries to read; the bounds are inclusive. */
export interface WalRange {
  /** An LSN, or a position: what comes after that entry. Default: the first one. */
  from?: number | WalPosition | undefined;
  /** Default: the last one there is when the iteration begins. */
  to?: number;
  /** From `to` down to `from`. */
  reverse?: boolean;
}

export interface CheckedRange {
  readonly from: number | Past | undefined;
  readonly to: number | undefined;
  readonly reverse: boolean;
}

/** What there is to read, at this moment. */
export interface EntrySource {
  readonly native: NativeWalEntries;
  readonly logId: string;
  /** The directory. */
  readonly path: string;
  readonly firstLsn: number;
  readonly lastLsn: number;
}

/** Data of entries that are read ahead. */
const READ_BYTES = 1 << 18;

export function checkRange(range: unknown): CheckedRange {
  const { from, to, reverse } = optionsOf('range', range, ['from', 'to', 'reverse']);
  return {
    from: from === undefined ? undefined : checkFrom('range.from', from, 0, ''),
    to: to === undefined ? undefined : checkLsn('range.to', to),
    reverse: checkFlag('range.reverse', reverse),
  };
}

class Entry implements WalEntry {
  declare readonly batch?: { readonly first: number; readonly count: number };
  readonly #past: Omit<Past, 'lsn'>;

  constructor(
    readonly lsn: number,
    readonly data: Buffer,
    past: Omit<Past, 'lsn'>,
  ) {
    this.#past = past;
  }

  /** Made when it is asked for: most entries are not. */
  get position(): WalPosition {
    return positionOf({ lsn: this.lsn, ...this.#past });
  }
}

export function entriesOf({ data, index, pasts }: NativeWalChunk, logId: string): WalEntry[] {
  const entries: WalEntry[] = [];
  // Native code has made it for this chunk: it begins at 0.
  const memory = data.buffer;
  let nextPast = 0;
  let past = { epoch: 0, branch: 0, logId };
  for (let at = 0; at < index.length; at += ENTRY_FIELDS) {
    const lsn = index[at + EntryField.lsn]!;
    if (nextPast < pasts.length && lsn === pasts[nextPast + PastField.lsn]!) {
      past = {
        epoch: pasts[nextPast + PastField.epoch]!,
        branch: pasts[nextPast + PastField.branch]!,
        logId,
      };
      nextPast += PAST_FIELDS;
    }
    const begin = index[at + EntryField.begin]!;
    const entry = new Entry(lsn, bufferOver(memory, begin, index[at + EntryField.bytes]!), past);
    const count = index[at + EntryField.batchCount]!;
    if (count > 0) Object.assign(entry, { batch: { first: index[at + EntryField.batchFirst]!, count } });
    entries.push(entry);
  }
  return entries;
}

/** Throws unless the log holds the entry of a position, or can prove that it ended where the log begins. */
export function checkPast({ native, logId }: Pick<EntrySource, 'native' | 'logId'>, past: Past): void {
  if (logId !== '' && past.logId !== logId) throw foreignPosition(past);
  const failure = native.checkPast(past.lsn, past.epoch, past.branch);
  if (failure !== undefined) throw walError(failure);
}

/** Entries from `from` on, at least one of those up to `to`. */
export function readEntries(
  { native, logId }: Pick<EntrySource, 'native' | 'logId'>,
  from: number,
  to: number,
  bytesMax = READ_BYTES,
): WalEntry[] {
  return entriesOf(orThrowWal(native.read(from, to, bytesMax)), logId);
}

function* forwards(source: () => EntrySource, from: number, to: number): IterableIterator<WalEntry> {
  for (let lsn = from; lsn <= to;) {
    const entries = readEntries(source(), lsn, to);
    // What was taken back meanwhile is not waited for.
    if (entries.length === 0) return;
    yield* entries;
    lsn = entries.at(-1)!.lsn + 1;
  }
}

function* backwards(source: () => EntrySource, from: number, to: number): IterableIterator<WalEntry> {
  for (let lsn = to; lsn >= from;) {
    const { native, logId, firstLsn } = source();
    const begin = Math.max(orThrowWal(native.seekPoint(lsn)), firstLsn, from);
    const entries = readEntries({ native, logId }, begin, lsn, Number.MAX_SAFE_INTEGER);
    if (entries.at(-1)?.lsn !== lsn) return;
    yield* entries.reverse();
    lsn = begin - 1;
  }
}

/** The entries of a range; `source` is asked again before each read. */
export function iterate(source: () => EntrySource, range: CheckedRange): IterableIterator<WalEntry> {
  const { firstLsn, lastLsn } = source();
  const from = typeof range.from === 'object' ? range.from.lsn + 1 : (range.from ?? firstLsn);
  const to = Math.min(range.to ?? lastLsn, lastLsn);
  return range.reverse ? backwards(source, from, to) : forwards(source, from, to);
}

/** The entry; undefined when there is none yet. */
export function getEntry(source: EntrySource, lsn: number): WalEntry | undefined {
  const { path, firstLsn, lastLsn } = source;
  if (lsn < firstLsn) throw checkpointed(path, lsn, firstLsn);
  if (lsn > lastLsn) return undefined;
  return readEntries(source, lsn, lsn, 1)[0];
}
