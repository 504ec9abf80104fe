/**
 * What an entry is sent with, so that readers and later writers know it again: its
 * position, and a checksum of its bytes.
 */
import zlib from 'node:zlib';

import type { WalEntry } from '../durable/wal/entries';
import { isPosition, type WalPosition } from '../durable/wal/position';

const POLYNOMIAL = 0xedb88320;
let table: Uint32Array | undefined;

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; ++bit) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    return value;
  });
}

export function crc32InScript(data: Uint8Array): number {
  table ??= makeTable();
  let crc = -1;
  for (let at = 0; at < data.length; ++at) crc = (crc >>> 8) ^ table[(crc ^ data[at]!) & 255]!;
  return (crc ^ -1) >>> 0;
}

/** CRC-32 (ISO-HDLC). Node has it since 20.15 and 22.2. */
export const crc32: (data: Uint8Array) => number =
  (zlib as { crc32?: (data: Uint8Array) => number }).crc32 ?? crc32InScript;

export function stampOf({ position, data }: Pick<WalEntry, 'position' | 'data'>): string {
  return `${position}:${crc32(data).toString(16).padStart(8, '0')}`;
}

const CHECKSUM_DIGITS = 8;

/** The position in a stamp, if the stamp is one of these bytes; otherwise what is wrong with it. */
export function checkStamp(
  stamp: string,
  data: Uint8Array,
): { readonly position: WalPosition } | { readonly fault: 'none' | 'damaged' } {
  const position = stamp.slice(0, -CHECKSUM_DIGITS - 1);
  if (!isPosition(position)) return { fault: 'none' };
  return stampOf({ position, data: data as Buffer }) === stamp ? { position } : { fault: 'damaged' };
}

type Batch = NonNullable<WalEntry['batch']>;

export function textOfBatch({ first, count }: Batch): string {
  return `${first}/${count}`;
}

/** The batch that a text names, unless it has no entry of this LSN. */
export function batchOf(text: string, lsn: number): Batch | undefined {
  const [, first, count] = /^(\d{1,16})\/(\d{1,10})$/.exec(text) ?? [];
  const batch = { first: Number(first), count: Number(count) };
  return batch.first > 0 && batch.first <= lsn && lsn < batch.first + batch.count ? batch : undefined;
}

/** Whether it is the last one of the batch that it was appended in, or in none. */
export function isLastOfBatch({ lsn, batch }: Pick<WalEntry, 'lsn' | 'batch'>): boolean {
  return batch === undefined || lsn === batch.first + batch.count - 1;
}
