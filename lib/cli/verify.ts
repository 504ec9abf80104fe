/** Reading everything, and saying what is wrong. */
import { SingleBar } from 'cli-progress';

import { addon } from '../native';
import { segmentError } from '../segment-errors';
import type { SegmentOptions } from '../segment-options';
import { walError } from '../wal-errors';
import { salvage } from '../wal-salvage';
import { openSource } from './sources';

/** Rows of core/durable/wal_recovery.h with which a log can be opened. */
const rows = [
  'empty: opening creates it',
  'a clean end',
  'a full file: opening goes on in the next',
  'a torn last record: opening sets it aside',
  'an unfinished file: opening makes it again',
];
const PROGRESS_ITEMS = 1000;

export interface Verdict {
  readonly isSound: boolean;
  readonly items: number;
  readonly end: string;
  readonly errors: readonly string[];
  readonly lost: readonly { from: number; to: number }[];
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function verify(path: string, options: SegmentOptions, showsProgress: boolean): Verdict {
  let items = 0;
  let end = '';
  const errors: string[] = [];
  const bar = new SingleBar({
    format: 'reading [{bar}] {percentage}% {value} of {total}',
    stream: process.stderr,
    noTTYOutput: false,
    clearOnComplete: true,
  });
  let isSegment = false;
  try {
    const source = openSource(path, options);
    isSegment = source.kind === 'segment';
    if (showsProgress) bar.start(source.end, 0);
    try {
      let behind = 0;
      for (const { position } of source.items()) {
        behind = position;
        if (++items % PROGRESS_ITEMS === 0) bar.update(behind);
      }
      bar.update(source.end);
    } finally {
      source.close();
      bar.stop();
    }
    end = isSegment ? 'zeros, or the end of the file' : '';
  } catch (error) {
    errors.push(message(error));
  }
  if (isSegment) return { isSound: errors.length === 0, items, end, errors, lost: [] };
  const verdict = addon.verifyWal(path);
  if (typeof verdict === 'number') end = rows[verdict] ?? '';
  else if (verdict.outcome === 1) throw segmentError(verdict);
  else errors.push(walError(verdict).message);
  return {
    isSound: errors.length === 0,
    items,
    end,
    errors: [...new Set(errors)],
    lost: errors.length > 0 ? lostOf(path) : [],
  };
}

/** What salvage() would miss. */
function lostOf(path: string): { from: number; to: number }[] {
  const lost: { from: number; to: number }[] = [];
  try {
    for (const found of salvage(path)) if ('lost' in found) lost.push(found.lost);
  } catch {
    // No header is left: then nothing is.
  }
  return lost;
}
