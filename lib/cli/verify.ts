/** Reading everything, and saying what is wrong. */
import { Outcome, WalRow } from '../base/codes';
import { codeOf } from '../base/errors';
import { SingleBar } from 'cli-progress';

import type { NativeFailure } from '../../types/native';
import type { SegmentOptions } from '../durable/segment/options';
import { walError } from '../durable/wal/errors';
import { WalReader } from '../durable/wal/reader';
import type { WalEntry } from '../durable/wal/entries';
import { classifyLog, salvage, type LostEntries } from '../durable/wal/salvage';
import { kindOnDisk } from './kind';
import { describeUnproved, scanSegment, unprovedOf, type Unproved } from './sources';
import type { Paint } from './words';

const TORN = 'a torn tail, the normal trace of a crash: opening for writing quarantines it';
/** How a log may end that opens. */
const ends: Readonly<Partial<Record<WalRow, string>>> = {
  [WalRow.cleanEnd]: 'a clean end',
  [WalRow.sealedEnd]: 'a full file: opening for writing goes on in the next',
  [WalRow.tornTail]: TORN,
  [WalRow.unfinishedFile]: 'an unfinished file: opening for writing makes it again',
};
const PROGRESS_ITEMS = 1000;

export interface Verdict {
  readonly isSound: boolean;
  readonly unit: 'entries' | 'records';
  /** Intact ones: of a segment file, those before the damage. */
  readonly items: number;
  /** How it ends; empty for one that is damaged. */
  readonly end: string;
  readonly errors: readonly string[];
  readonly lost: readonly { from: number; to: number }[];
  /** Entries of a write-ahead log that are intact, but not proved to be on disk. */
  readonly unproved?: Unproved;
  /** Bytes after the last record of a segment file, and how many of them are intact records. */
  readonly tornBytes?: number;
  readonly validBytesAfter?: number;
}

export function verify(path: string, options: SegmentOptions, showsProgress: boolean): Verdict {
  return kindOnDisk(path, options, 'verify') === 'segment'
    ? verifySegment(path, options)
    : verifyWal(path, showsProgress).verdict;
}

export interface WalVerdict {
  readonly verdict: Verdict;
  /** Where the log ends; undefined for a damaged one. */
  readonly end: WalRow | undefined;
  /** The first entry after a gap that comes after other entries: a copy has no holes. */
  readonly firstMoved: number | undefined;
}

export function verifyWal(path: string, showsProgress: boolean): WalVerdict {
  const classified = classifyLog(path);
  if (typeof classified === 'number') return soundWal(path, classified);
  // With any other there is nothing to salvage.
  if (classified.outcome !== Outcome.corrupt) throw walError(classified);
  const bar = new SingleBar({
    format: 'reading: {value} entries',
    stream: process.stderr,
    noTTYOutput: false,
    clearOnComplete: true,
  });
  if (showsProgress) bar.start(0, 0);
  let items = 0;
  let isAfterGap = false;
  let firstMoved: number | undefined;
  const lost: { from: number; to: number }[] = [];
  try {
    for (const found of remains(path)) {
      if ('lost' in found) {
        lost.push(found.lost);
        isAfterGap ||= items > 0;
        continue;
      }
      if (isAfterGap) firstMoved ??= found.lsn;
      if (++items % PROGRESS_ITEMS === 0) bar.update(items);
    }
  } finally {
    bar.stop();
  }
  return {
    verdict: {
      isSound: false,
      unit: 'entries',
      items,
      end: '',
      errors: [messageOf(classified)],
      lost,
    },
    end: undefined,
    firstMoved,
  };
}

/** A log that opens: its entries are those that a reader shows. */
function soundWal(path: string, row: WalRow): WalVerdict {
  using reader = WalReader.open(path, { tail: 'intact' });
  const { firstLsn, lastLsn } = reader;
  const facts = { isSound: true, unit: 'entries', end: ends[row]!, errors: [], lost: [] } as const;
  const verdict = { ...facts, items: Math.max(lastLsn - firstLsn + 1, 0), ...unprovedOf(reader) };
  return { verdict, end: row, firstMoved: undefined };
}

function messageOf({ path, detail, offset }: NativeFailure): string {
  return `${path}: ${detail} (at ${offset})`;
}

/** What can be read; nothing, where no file has an intact header. Why, was said already. */
function* remains(path: string): IterableIterator<WalEntry | LostEntries> {
  try {
    yield* salvage(path);
  } catch (error) {
    if (codeOf(error) !== 'ERR_CORRUPT') throw error;
  }
}

export function verifySegment(path: string, options: SegmentOptions): Verdict {
  const { records: items, endOffset, nonzeroEnd, validBytesAfter } = scanSegment(path, options);
  const tornBytes = nonzeroEnd - endOffset;
  const facts = { unit: 'records', items, lost: [], tornBytes, validBytesAfter } as const;
  if (validBytesAfter === 0) {
    const end = tornBytes === 0 ? 'a clean end' : `${tornBytes} bytes of ${TORN}`;
    return { isSound: true, ...facts, end, errors: [] };
  }
  const error =
    `${path}: no intact record is at ${endOffset}, and of the ${tornBytes} bytes from there on, ` +
    `${validBytesAfter} are intact records: more than a crash leaves`;
  return { isSound: false, ...facts, end: '', errors: [error] };
}

/** The verdict in words. */
export function describeVerdict(
  { items, unit, end, errors, lost, unproved }: Verdict,
  paint: Paint = (_, text) => text,
): string[] {
  const one = { entries: 'entry', records: 'record' } as const;
  const things = items === 1 ? one[unit] : unit;
  return [
    end === '' ? `${items} intact ${things}` : `${items} ${things}, then ${end}`,
    ...errors.map((error) => paint('red', `damaged: ${error}`)),
    ...lost.map(({ from, to }) => paint('red', `lost: entries ${from} to ${to}`)),
    ...(unproved === undefined ? [] : [paint('yellow', describeUnproved(unproved))]),
  ];
}
