import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { parseRecord, SegmentReader, SegmentTail, SegmentWriter, type SegmentRecord } from 'atomic-log';

import { expectError } from '../../../support/errors';
import { addon, packageRoot } from '../../../support/internals';
import { crc, dataOf, numberHeader, parseFile, payload, temporaryDirectory } from '../../../support/segments';

const { path } = temporaryDirectory();
const file = (): string => path('a.seg');

describe('SegmentTail', () => {
  test('delivers each record once it is there, and waits at a torn one', () => {
    using writer = SegmentWriter.createSync(file(), { size: 65_536, startOffset: 8 });
    using tail = SegmentTail.open(file(), { startOffset: 8 });
    expect(tail.next()).toBeUndefined();
    for (let i = 0; i < 100; ++i) {
      writer.append(payload(i, i * 3));
      if (i % 7 === 0) writer.flush();
      for (let record = tail.next(); record !== undefined; record = tail.next()) {
        expect(record.data).toEqual(payload(record.data.length / 3, record.data.length));
      }
    }
    writer.flush();
    while (tail.next() !== undefined);
    expect(tail.offset).toBe(writer.writeOffset);
    // The head of a record, and its data later.
    const bytes = path('b.seg');
    const other = SegmentWriter.createSync(bytes, { size: 100 });
    other.append(Buffer.from('abcd'));
    other.closeSync();
    const record = readFileSync(bytes).subarray(0, 12);
    const descriptor = openSync(file(), 'r+');
    writeSync(descriptor, record, 0, 9, tail.offset);
    expect(tail.next()).toBeUndefined();
    writeSync(descriptor, record, 9, 3, tail.offset + 9);
    expect(tail.next()!.data.toString()).toBe('abcd');
    closeSync(descriptor);
  });

  test('follows what another process appends', async () => {
    SegmentWriter.createSync(file(), { size: 1 << 20 }).closeSync();
    using tail = SegmentTail.open(file());
    const script = `
      const { SegmentWriter } = require(${JSON.stringify(require.resolve('atomic-log'))});
      const writer = SegmentWriter.openSync(${JSON.stringify(file())});
      for (let i = 0; i < 500; ++i) {
        writer.append(Buffer.from(String(i)));
        if (i % 50 === 0) writer.flush();
      }
      writer.closeSync();
    `;
    const follower = tail.follow({ pollMs: 1 });
    const first = follower.next();
    execFileSync(process.execPath, ['-e', script]);
    const seen = [(await first).value as SegmentRecord];
    while (seen.length < 500) seen.push((await follower.next()).value as SegmentRecord);
    expect(seen.map(({ data }) => Number(Buffer.from(data).toString()))).toEqual(
      Array.from({ length: 500 }, (_, i) => i),
    );
    await follower[Symbol.asyncDispose]();
    expect(await follower.next()).toEqual({ done: true, value: undefined });
  });

  test.each(['replaced', 'moved', 'deleted'])(
    'says that the file was %s, after its last record',
    async (how) => {
      SegmentWriter.createSync(path('other.seg'), { size: 5000 }).closeSync();
      const writer = SegmentWriter.createSync(file(), { size: 5000 });
      writer.append(Buffer.from('first'));
      writer.flush();
      using tail = SegmentTail.open(file());
      const followed = tail.follow({ pollMs: 1 });
      expect(Buffer.from(((await followed.next()).value as SegmentRecord).data).toString()).toBe('first');
      const rest = followed.next();
      writer.append(Buffer.from('last'));
      writer.closeSync();
      expect(((await rest).value as SegmentRecord).data.toString()).toBe('last');
      const waiting = followed.next().catch((error: unknown) => error);
      if (how === 'replaced') renameSync(path('other.seg'), file());
      if (how === 'moved') renameSync(file(), path('moved.seg'));
      if (how === 'deleted') rmSync(file());
      expect(await waiting).toMatchObject({ code: 'ERR_FILE_REPLACED', path: file() });
      expectError(() => tail.next(), 'ERR_FILE_REPLACED', /a\.seg.*open it again/);
    },
  );

  test('ends with the reason of its signal, and refuses bad options', async () => {
    SegmentWriter.createSync(file(), { size: 1000 }).closeSync();
    const tail = SegmentTail.open(file(), { from: 0 });
    const waiting = tail.follow({ signal: AbortSignal.timeout(5), pollMs: 100_000 }).next();
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
    expectError(() => tail.follow({ pollMs: 0 }), 'ERR_OUT_OF_RANGE', /pollMs/);
    expectError(() => tail.follow({ signal: {} as never }), 'ERR_INVALID_ARG_TYPE', /AbortSignal/);
    expectError(() => SegmentTail.open(file(), { from: -1 }), 'ERR_OUT_OF_RANGE', /from/);
    tail.close();
    expectError(() => tail.next(), 'ERR_READER_CLOSED', /closed/);
  });
});

describe('parseRecord', () => {
  test('reads records in memory, and nothing else', () => {
    const writer = SegmentWriter.createSync(file(), { size: 200, headerSize: 8, checksum: 'crc32' });
    const offsets = [3, 0, 40].map((length, i) => writer.append(payload(i, length), numberHeader(i)).offset);
    writer.closeSync();
    const bytes = readFileSync(file());
    const options = { headerSize: 8, checksum: 'crc32' } as const;
    for (const [i, offset] of offsets.entries()) {
      const record = parseRecord(bytes, offset, options);
      expect(record.offset).toBe(offset);
      expect(record.header).toEqual(numberHeader(i));
      expect(record.data).toEqual(payload(i, [3, 0, 40][i]!));
    }
    expectError(() => parseRecord(bytes, 1, options), 'ERR_CHECKSUM_MISMATCH', /at 1/);
    expectError(() => parseRecord(bytes, 0), 'ERR_CHECKSUM_MISMATCH', /at 0/);
    expectError(() => parseRecord(bytes, 150, options), 'ERR_END_OF_LOG', /150/);
    expectError(() => parseRecord(bytes, 200, options), 'ERR_OUT_OF_RANGE', /end at 200/);
    expectError(() => parseRecord('x' as never, 0), 'ERR_INVALID_ARG_TYPE', /bytes must be/);
    for (let length = 0; length < 19; ++length) {
      expect(() => parseRecord(bytes.subarray(0, length), 0, options)).toThrow(RegExp('bytes'));
    }
  });
});

// An addon may be built without zstd.
const whenBuilt = addon.hasCompression ? describe : describe.skip;
whenBuilt('compression', () => {
  const text = (i: number): Buffer => Buffer.from(`${i} `.repeat(100 + i));

  test('is of longer data only, and read back', () => {
    const writer = SegmentWriter.createSync(file(), { size: 1 << 20, headerSize: 8, compression: 'zstd' });
    const data = [Buffer.alloc(127, 'a'), Buffer.alloc(128, 'a'), text(5), payload(9, 60), text(70_000)];
    const lengths = data.map((bytes, i) => writer.append(bytes, numberHeader(i)).length);
    expect(lengths[0]).toBe(16 + 127);
    expect(lengths[1]).toBeLessThan(60);
    writer.compression = 'none';
    expect(writer.append(text(5), numberHeader(5)).length).toBe(16 + text(5).length);
    writer.compression = 'zstd';
    expect(writer.compression).toBe('zstd');
    const batch = writer.appendBatch(Buffer.concat([numberHeader(6), text(6), numberHeader(7), text(7)]), [
      8 + text(6).length,
      8 + text(7).length,
    ]);
    expect(batch.length).toBeLessThan(200);
    writer.closeSync();
    const expected = [...data, text(5), text(6), text(7)];
    for (const mode of ['mmap', 'pread'] as const) {
      using reader = SegmentReader.open(file(), { headerSize: 8, mode });
      expect(dataOf(reader).map((bytes, i) => bytes.equals(expected[i]!))).toEqual(Array(8).fill(true));
      const records = [...reader.records()];
      expect(records.map(({ isCompressed }) => isCompressed)).toEqual(
        [0, 1, 1, 0, 1, 0, 1, 1].map((bit) => bit === 1),
      );
      expect(records.map(({ header }) => Number(Buffer.from(header).readBigUInt64LE()))).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7,
      ]);
      expect(Buffer.from(records[1]!.compressedData!).readUInt32LE()).toBe(128);
      expect(records[0]!.compressedData).toBeUndefined();
      expect(records[1]!.data).toBe(records[1]!.data);
    }
    expect(parseFile(file(), { headerSize: 8 }).records).toHaveLength(8);
  });

  test('data that does not get shorter is stored as it is', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4096, compression: 'zstd' });
    expect(writer.append(randomBytes(300)).length).toBe(308);
  });

  test("the Rust crate's frames are read", () => {
    const name = join(packageRoot, 'test', 'fixtures', 'seglog', 'h8-zstd.seg');
    using reader = SegmentReader.open(name, { headerSize: 8, checksum: 'crc32' });
    const expected = Array.from({ length: 11 }, (_, i) => {
      if (i === 10) return Buffer.alloc(300, 'z');
      return i % 2 === 0 ? Buffer.alloc(200 + i, 97 + i) : payload(i, 127);
    });
    expect(dataOf(reader)).toEqual(expected);
  });

  test('an original size that is hostile or wrong is an error', () => {
    const writer = SegmentWriter.createSync(file(), { size: 4096, compression: 'zstd' });
    const { length } = writer.append(text(5));
    writer.closeSync();
    const bytes = readFileSync(file());
    const withSize = (size: number): Buffer => {
      const changed = Buffer.from(bytes.subarray(0, length));
      changed.writeUInt32LE(size, 8);
      changed.writeUInt32LE(crc('crc32c', changed.subarray(0, 4), changed.subarray(8)), 4);
      return changed;
    };
    expect(Buffer.from(parseRecord(withSize(text(5).length), 0).data)).toEqual(text(5));
    for (const size of [0, 1, text(5).length - 1, text(5).length + 1, 64 << 20]) {
      expectError(() => parseRecord(withSize(size), 0).data, 'ERR_CORRUPT', /cannot be decompressed/);
    }
    expectError(() => parseRecord(withSize(0xffff_ffff), 0).data, 'ERR_OUT_OF_RANGE', /dataBytesMax/);
    using reader = SegmentReader.open(file(), { dataBytesMax: 100 });
    expectError(() => reader.read(0).data, 'ERR_OUT_OF_RANGE', /dataBytesMax/);
  });

  test('a record that does not fit even compressed is refused', () => {
    using writer = SegmentWriter.createSync(file(), { size: 40, compression: 'zstd' });
    const error = expectError(() => writer.append(randomBytes(200)), 'ERR_SEGMENT_FULL', /are left/);
    expect(error).toMatchObject({ available: 40 });
    writer.append(Buffer.alloc(4000, 'a'));
  });
});

test('an unknown compression is refused', () => {
  expectError(
    () => SegmentWriter.createSync(file(), { size: 40, compression: 'lz4' as never }),
    'ERR_INVALID_ARG_VALUE',
    /compression must be one of 'none', 'zstd'; got/,
  );
  using writer = SegmentWriter.createSync(file(), { size: 40 });
  expectError(
    () => (writer.compression = 1 as never),
    'ERR_INVALID_ARG_TYPE',
    /compression must be one of 'none', 'zstd'; got/,
  );
});
