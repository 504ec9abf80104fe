import { Wal, type WalEntry, type WalOptions, type WalReader } from 'atomic-log';

/** Files of a few dozen small entries. */
export const SMALL_FILES: WalOptions = { segmentBytes: 8192 };

/** `length` bytes that tell entry `lsn` from others. */
export function entry(lsn: number, length = 20 + ((lsn * 37) % 90)): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (lsn * 31 + i * 7) & 255));
}

export function dataOf(entries: Iterable<WalEntry>): Buffer[] {
  return [...entries].map(({ data }) => Buffer.from(data));
}

export function lsnsOf(entries: Iterable<WalEntry>): number[] {
  return [...entries].map(({ lsn }) => lsn);
}

/** LSNs from `from` to `to`, both included. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(to - from + 1, 0) }, (_, i) => from + i);
}

/** Appends entry(lsn) for each LSN up to `last`, then syncs. */
export function fill(wal: Wal, last: number): void {
  for (let lsn = wal.lastLsn + 1; lsn <= last; ++lsn) wal.write(entry(lsn));
  wal.syncSync();
}

/** Expects dense, intact entries of fill(). */
export function expectIntact(wal: Wal | WalReader, first: number, last: number): void {
  let lsn = first;
  for (const found of wal.entries()) {
    if (found.lsn !== lsn || !entry(lsn).equals(found.data))
      throw new Error(`entry ${lsn} is not what was appended`);
    ++lsn;
  }
  expect(lsn - 1).toBe(last);
}

/** Opens the log, hands it over, and closes it whatever happens. */
export function withWal<T>(path: string, use: (wal: Wal) => T, options: WalOptions = SMALL_FILES): T {
  const wal = Wal.openSync(path, options);
  try {
    return use(wal);
  } finally {
    wal.closeSync();
  }
}
