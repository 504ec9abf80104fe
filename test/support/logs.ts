import {
  AtomicLog,
  type BigIntLogOptions,
  type CommonLogOptions,
  type ErrorCode,
  type LogStats,
  type NumberLogOptions,
  type ScalarType,
  type Snapshot,
  type Writer,
} from 'atomic-log';

import { expectError } from './errors';

export interface Claimed<T> {
  writer: Writer<T>;
  log: AtomicLog<T>;
}

/** Three segments of four entries: small enough that a few appends lap the window. */
export const SMALL = { retainedCapacity: 8, segmentCapacity: 4 } as const;

/** A log of numbers with a few entries already: 1, 2, ... `count`. */
export function smallLog(count = 0): Claimed<number> {
  const claimed = AtomicLog.claimed(SMALL);
  for (let i = 1; i <= count; ++i) claimed.writer.append(i);
  return claimed;
}

/** A log of any scalar type, for tables of tests over all ten. */
export function logOfType(type: ScalarType, options: CommonLogOptions = SMALL): Claimed<number | bigint> {
  // The overloads tell numbers from bigints; a table of types holds both.
  const claimed =
    type === 'i64' || type === 'u64'
      ? AtomicLog.claimed({ ...options, type } satisfies BigIntLogOptions)
      : AtomicLog.claimed({ ...options, type } satisfies NumberLogOptions);
  return claimed as unknown as Claimed<number | bigint>;
}

/** The entries of the log's window. */
export function entriesOf<T>(log: AtomicLog<T>): T[] {
  const snapshot = log.snapshot();
  try {
    return [...snapshot];
  } finally {
    snapshot.close();
  }
}

/** The entries of a snapshot, chunk by chunk, through the typed arrays. */
export function valuesByChunk<T extends number | bigint>(snapshot: Snapshot<T>): T[][] {
  return snapshot.chunks().map((chunk) => Array.from(chunk.values as unknown as Iterable<T>));
}

export function bounds(view: { firstIndex: number; endIndex: number }): [number, number] {
  return [view.firstIndex, view.endIndex];
}

interface LogState<T> {
  bounds: [number, number];
  isWriterClaimed: boolean;
  nextIndex: number;
  entries: T[];
  stats: LogStats;
}

/** Everything that can be seen of a log from outside. */
export function stateOf<T>({ writer, log }: Claimed<T>): LogState<T> {
  return {
    // Taking the snapshot may pin the window for the rest of the turn, so the
    // statistics come after it, in every state alike.
    entries: entriesOf(log),
    bounds: bounds(log),
    isWriterClaimed: log.isWriterClaimed,
    nextIndex: writer.nextIndex,
    stats: log.stats(),
  };
}

/** Expects that `run` is refused with this error and that nothing in the log has changed. */
export function expectRefused<T>(
  claimed: Claimed<T>,
  run: (claimed: Claimed<T>) => unknown,
  code: ErrorCode,
  message: RegExp,
): void {
  const before = stateOf(claimed);
  expectError(() => run(claimed), code, message);
  expect(stateOf(claimed)).toEqual(before);
}

/** Expects the log to be sound: contiguous indexes, and every way to read it agrees. */
export function expectConsistent<T>(log: AtomicLog<T>): void {
  const snapshot = log.snapshot();
  try {
    expect(bounds(snapshot)).toEqual(bounds(log));
    const entries = [...snapshot];
    expect(entries).toHaveLength(snapshot.length);
    entries.forEach((entry, i) => {
      expect(snapshot.at(i)).toEqual(entry);
      expect(snapshot.get(snapshot.firstIndex + i)).toEqual(entry);
    });
    let next = snapshot.firstIndex;
    for (const chunk of snapshot.chunks()) {
      expect(chunk.firstIndex).toBe(next);
      for (let i = 0; i < chunk.length; ++i) {
        expect(chunk.at(i)).toEqual(snapshot.get(chunk.firstIndex + i));
      }
      next += chunk.length;
    }
    expect(next).toBe(snapshot.endIndex);
  } finally {
    snapshot.close();
  }
}

/** begin, begin + 1, ... end - 1. */
export function range(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, i) => begin + i);
}
