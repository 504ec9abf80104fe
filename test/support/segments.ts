import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { SegmentReader } from 'atomic-log';

/** Windows keeps the files that are still mapped, until their views are collected. */
export function removeDirectory(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    if (process.platform !== 'win32') throw error;
  }
}

/** A directory that is gone after each test. */
export function temporaryDirectory(): {
  readonly path: (name: string) => string;
  readonly root: () => string;
} {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'atomic-log-segment-'));
  });
  afterEach(() => {
    removeDirectory(directory);
  });
  return { path: (name) => join(directory, name), root: () => directory };
}

/** `length` bytes that tell record `i` from others: those of the files in fixtures/seglog. */
export function payload(i: number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, j) => (31 * i + 7 * j) & 255));
}

/** Record number `i` as eight bytes. */
export function numberHeader(i: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeBigUInt64LE(BigInt(i));
  return header;
}

export interface Parsed {
  readonly offset: number;
  readonly length: number;
  readonly header: Buffer;
  readonly stored: Buffer;
  readonly isCompressed: boolean;
}

const polynomials = { crc32c: 0x82f63b78, crc32: 0xedb88320 };

function table(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; ++bit) remainder = (remainder >>> 1) ^ (remainder & 1 ? polynomial : 0);
    return remainder;
  });
}

const tables = { crc32c: table(polynomials.crc32c), crc32: table(polynomials.crc32) };

export function crc(kind: 'crc32c' | 'crc32', ...parts: Uint8Array[]): number {
  let state = -1;
  for (const part of parts) {
    for (const byte of part) state = (state >>> 8) ^ tables[kind][(state ^ byte) & 255]!;
  }
  return ~state >>> 0;
}

/** A reading of a segment file that shares no code with the library: docs/format.md in a few lines. */
export function parseIndependently(
  file: Buffer,
  { startOffset = 0, headerSize = 0, checksum = 'crc32c' as 'crc32c' | 'crc32' } = {},
): { records: Parsed[]; end: number } {
  const records: Parsed[] = [];
  let offset = startOffset;
  while (offset + 8 <= file.length) {
    const word = file.readUInt32LE(offset);
    const expected = file.readUInt32LE(offset + 4);
    if (word === 0 && expected === 0) break;
    const bytes = word & 0x7fff_ffff;
    const end = offset + 8 + bytes;
    if (end > file.length || bytes < headerSize) break;
    const body = file.subarray(offset + 8, end);
    if (crc(checksum, file.subarray(offset, offset + 4), body) !== expected) break;
    records.push({
      offset,
      length: 8 + bytes,
      header: body.subarray(0, headerSize),
      stored: body.subarray(headerSize),
      isCompressed: word >>> 31 === 1,
    });
    offset = end;
  }
  return { records, end: offset };
}

export const parseFile = (path: string, options?: Parameters<typeof parseIndependently>[1]) =>
  parseIndependently(readFileSync(path), options);

/** The data of all records. */
export function dataOf(reader: SegmentReader, from?: number): Buffer[] {
  return [...reader.records(from)].map(({ data }) => data);
}
