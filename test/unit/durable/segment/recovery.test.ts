/**
 * What opening for writing makes of files: those of the Rust crate seglog
 * (fixtures/seglog, with what it gets wrong), damaged ones, hostile ones.
 */
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import { SegmentReader, SegmentWriter, type SegmentOpenOptions } from 'atomic-log';

import { expectError, thrownBy } from '../../../support/errors';
import { packageRoot } from '../../../support/internals';
import {
  dataOf,
  numberHeader,
  parseIndependently,
  payload,
  temporaryDirectory,
} from '../../../support/segments';
import { sized } from '../../../support/sizes';

const { path } = temporaryDirectory();
const file = (): string => path('a.seg');
const fixtures = join(packageRoot, 'test', 'fixtures', 'seglog');
const fixture = (name: string): Buffer => readFileSync(join(fixtures, name));
const modes = ['mmap', 'pread'] as const;
/** From one bit that is flipped to the next: each of a byte has its turn. */
const BIT_STEP = sized('BIT_STEP', { small: 5, long: 1 });
const ANY_BYTES_RUNS = sized('ANY_BYTES_RUNS', { small: 100, long: 300 });

interface Manifest {
  file: string;
  note: string;
  writeOffset: number;
  records: [offset: number, length: number][];
}
const manifest = JSON.parse(fixture('manifest.json').toString()) as Manifest[];

function formatOf(name: string): { checksum: 'crc32'; headerSize: number; startOffset: number } {
  const startOffset = name.includes('start64') ? 64 : name.includes('empty') ? 16 : 0;
  return { checksum: 'crc32', headerSize: name.startsWith('h8') ? 8 : 0, startOffset };
}

function open(options?: SegmentOpenOptions): SegmentWriter {
  return SegmentWriter.openSync(file(), options);
}

describe('a file of the Rust crate', () => {
  const sound = manifest.filter(({ file: name }) => !/setlen|torn|damaged/.test(name));

  test.each(sound)('$file is read ($note)', ({ file: name, writeOffset, records }) => {
    copyFileSync(join(fixtures, name), file());
    const format = formatOf(name);
    for (const mode of modes) {
      const reader = SegmentReader.open(file(), { ...format, mode });
      const found = [...reader.records()];
      expect(found.map(({ offset, length }) => [offset, length])).toEqual(records);
      for (const [i, record] of found.entries()) {
        if (format.headerSize > 0) expect(record.header).toEqual(numberHeader(i));
      }
      reader.close();
    }
    const writer = open(format);
    expect(writer.writeOffset).toBe(writeOffset);
    expect(writer.recovery).toEqual({
      records: records.length,
      offset: writeOffset,
      quarantinedBytes: 0,
      validBytesAfter: 0,
      quarantinePath: undefined,
    });
    writer.closeSync();
    expect(readFileSync(file()).equals(fixture(name))).toBe(true);
  });

  test('is written byte for byte by the same calls', () => {
    const checksum = 'crc32';
    const write = (name: string, options: object, act: (writer: SegmentWriter) => void): void => {
      const expected = fixture(name);
      const writer = SegmentWriter.createSync(path(name), { checksum, size: expected.length, ...options });
      act(writer);
      writer.closeSync();
      expect(readFileSync(path(name)).equals(expected)).toBe(true);
    };
    write('h0.seg', {}, (writer) => {
      for (let i = 0; i < 40; ++i) writer.append(payload(i, i));
    });
    write('h8-start64.seg', { headerSize: 8, startOffset: 64 }, (writer) => {
      writer.writeApplicationHeader(Buffer.from('4d59534547010203', 'hex'));
      for (let i = 0; i < 64; ++i) writer.append(payload(i, 50), numberHeader(i));
    });
    write('h0-full.seg', {}, (writer) => {
      for (let i = 0; i < 8; ++i) writer.append(payload(i, 120));
      expectError(() => writer.append(payload(0, 0)), 'ERR_SEGMENT_FULL', /0 are left/);
    });
    write('h0-empty.seg', { startOffset: 16 }, () => {});
  });

  test('with a torn record ends there; its bytes are kept', () => {
    copyFileSync(join(fixtures, 'h0-torn.seg'), file());
    const writer = open({ checksum: 'crc32' });
    expect(writer.recovery).toEqual({
      records: 5,
      offset: 540,
      quarantinedBytes: 48,
      validBytesAfter: 0,
      quarantinePath: `${file()}.torn-1`,
    });
    expect(readFileSync(`${file()}.torn-1`).equals(fixture('h0-torn.seg').subarray(540, 588))).toBe(true);
    expect(
      readFileSync(file())
        .subarray(540)
        .every((byte) => byte === 0),
    ).toBe(true);
    writer.append(payload(50, 100));
    writer.closeSync();
    const again = open({ checksum: 'crc32', sealed: true });
    expect(again.recovery).toMatchObject({ records: 6, quarantinedBytes: 0 });
    again.closeSync();
  });
});

describe('what the Rust crate gets wrong:', () => {
  test('1. an append after a truncation lands at the new end', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4096 });
    for (let i = 0; i < 10; ++i) writer.append(payload(i, 32));
    writer.setLengthSync(160);
    writer.append(payload(44, 32));
    writer.syncSync();
    using reader = SegmentReader.open(file());
    expect(dataOf(reader)).toEqual([0, 1, 2, 3, 44].map((i) => payload(i, 32)));
  });

  test('2. truncated records do not come back, though a file of the crate still holds them', () => {
    copyFileSync(join(fixtures, 'h0-setlen.seg'), file());
    const writer = open({ checksum: 'crc32' });
    // Eight zero bytes stand before the rest of record 4; records 5 to 9 are whole.
    expect(writer.recovery).toMatchObject({
      records: 4,
      offset: 160,
      quarantinedBytes: 240,
      validBytesAfter: 200,
    });
    writer.append(payload(44, 32));
    writer.closeSync();
    const again = open({ checksum: 'crc32' });
    expect(again.recovery).toMatchObject({ records: 5, offset: 200, quarantinedBytes: 0 });
    again.closeSync();
    expect(parseIndependently(readFileSync(file()), { checksum: 'crc32' }).records).toHaveLength(5);
  });

  test('3. a sequential iterator that reached the tail sees later records', () => {
    using writer = SegmentWriter.createSync(file(), { size: 65_536 });
    for (const mode of modes) {
      using reader = SegmentReader.open(file(), { mode });
      const records = reader.records(writer.writeOffset);
      for (let i = 0; i < 10; ++i) {
        expect(records.next().done).toBe(true);
        writer.append(payload(i, 100));
        writer.flush();
        expect(records.next().value!.data).toEqual(payload(i, 100));
      }
    }
  });

  test('4. one damaged byte in the middle drops nothing without saying so', () => {
    copyFileSync(join(fixtures, 'h0-damaged.seg'), file());
    const format = { checksum: 'crc32' } as const;
    for (const options of [{ durableOffset: 648 }, { durableOffset: 217 }, { sealed: true }]) {
      const error = expectError(
        () => open({ ...format, ...options }),
        'ERR_CORRUPT',
        /\(at 216\); nothing was/,
      );
      expect(error).toMatchObject({ offset: 216, path: file() });
    }
    expect(readFileSync(file()).equals(fixture('h0-damaged.seg'))).toBe(true);
    const writer = open({ ...format, durableOffset: 216 });
    expect(writer.recovery).toMatchObject({
      records: 2,
      offset: 216,
      quarantinedBytes: 432,
      validBytesAfter: 324,
    });
    writer.closeSync();
    // Nothing is lost: the records behind the damage are in the file beside.
    using rest = SegmentReader.open(writer.recovery!.quarantinePath!, { ...format, startOffset: 108 });
    expect(dataOf(rest)).toEqual([3, 4, 5].map((i) => payload(i, 100)));
  });

  test.each<[string, SegmentOpenOptions]>([
    ['a headerSize that is too large', { headerSize: 60, startOffset: 64, checksum: 'crc32' }],
    ['a startOffset before the first record', { headerSize: 8, startOffset: 0, checksum: 'crc32' }],
    ['a startOffset within a record', { headerSize: 8, startOffset: 70, checksum: 'crc32' }],
    ['another checksum', { headerSize: 8, startOffset: 64 }],
  ])('5. %s does not erase a good file', (_name, options) => {
    copyFileSync(join(fixtures, 'h8-start64.seg'), file());
    expectError(() => open(options), 'ERR_FORMAT', /check startOffset, headerSize and checksum/);
    expectError(() => open({ ...options, size: 8192 }), 'ERR_FORMAT', /check startOffset/);
    expect(readFileSync(file()).equals(fixture('h8-start64.seg'))).toBe(true);
    expect(readdirSync(path(''))).toEqual(['a.seg']);
  });

  test('5. nor does a startOffset where the application left zeros', () => {
    const make = SegmentWriter.createSync(file(), { size: 4096, startOffset: 64 });
    make.append(payload(1, 10));
    make.closeSync();
    expectError(() => open(), 'ERR_FORMAT', /check startOffset/);
    open({ startOffset: 64, sealed: true }).closeSync();
  });

  test('5. discardUnreadable quarantines everything', () => {
    copyFileSync(join(fixtures, 'h8-start64.seg'), file());
    const writer = open({ discardUnreadable: true });
    expect(writer.recovery).toMatchObject({ records: 0, offset: 0, quarantinedBytes: 4288 });
    writer.closeSync();
    expect(
      readFileSync(writer.recovery!.quarantinePath!).equals(fixture('h8-start64.seg').subarray(0, 4288)),
    ).toBe(true);
    expect(readFileSync(file()).every((byte) => byte === 0)).toBe(true);
  });
});

describe('opening', () => {
  const make = (records = 5): Buffer => {
    const writer = SegmentWriter.createSync(file(), { size: 2048 });
    for (let i = 0; i < records; ++i) writer.append(payload(i, 40 + i));
    writer.closeSync();
    return readFileSync(file());
  };

  test('takes the next free name for what it quarantines', () => {
    make();
    for (const n of [1, 2, 3]) {
      const bytes = readFileSync(file());
      bytes[300] = n;
      writeFileSync(file(), bytes);
      const writer = open();
      expect(writer.recovery!.quarantinePath).toBe(`${file()}.torn-${n}`);
      expect(readFileSync(`${file()}.torn-${n}`).at(-1)).toBe(n);
      writer.closeSync();
    }
  });

  test('checks the size where it is given', () => {
    make();
    for (const size of [2047, 2049, 1]) {
      expectError(() => open({ size }), 'ERR_FORMAT', /than the size given/);
    }
    open({ size: 2048 }).closeSync();
    truncateSync(file(), 1000);
    open().closeSync();
    expectError(() => open({ startOffset: 1000 }), 'ERR_FORMAT', /ends before its startOffset/);
  });

  test('finishes a creation that was interrupted, when it knows the size', () => {
    writeFileSync(file(), Buffer.alloc(512));
    const writer = open({ size: 4096, startOffset: 512 });
    expect(writer.recovery).toMatchObject({ records: 0, quarantinedBytes: 0 });
    expect(writer.size).toBe(4096);
    writer.append(payload(0, 3000));
    writer.closeSync();
    writeFileSync(file(), '');
    expectError(() => open(), 'ERR_FORMAT', /give its size/);
    open({ size: 4096 }).closeSync();
    expect(readFileSync(file()).length).toBe(4096);
  });

  test('a durableOffset beyond the records is damage too', () => {
    make();
    expectError(() => open({ durableOffset: 251 }), 'ERR_CORRUPT', /at 250/);
    open({ durableOffset: 250 }).closeSync();
  });

  test('a file truncated to any length is opened, refused, or reported', () => {
    const whole = make(5);
    const ends = parseIndependently(whole).records.map(({ offset, length }) => offset + length);
    for (let length = 0; length <= 260; ++length) {
      writeFileSync(file(), whole.subarray(0, length));
      const intact = ends.filter((end) => end <= length).length;
      if (length === 0) expectError(() => open(), 'ERR_FORMAT', /startOffset/);
      else if (intact === 0) expectError(() => open(), 'ERR_FORMAT', /no record is at startOffset/);
      else {
        const writer = open();
        expect(writer.recovery!.records).toBe(intact);
        writer.closeSync();
      }
    }
  });

  test('any single bit that flips is noticed, or harmless', () => {
    const whole = make(4);
    const { records, end } = parseIndependently(whole);
    for (let bit = 0; bit < 8 * 300; bit += BIT_STEP) {
      const bytes = Buffer.from(whole);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(file(), bytes);
      const damaged = records.findIndex(({ offset, length }) => bit >> 3 < offset + length);
      // The reader: all records before it, then an error at it.
      for (const mode of modes) {
        using reader = SegmentReader.open(file(), { mode });
        const iterator = reader.records();
        const before = damaged < 0 ? records.length : damaged;
        for (let i = 0; i < before; ++i) {
          expect(iterator.next().value!.data.equals(records[i]!.stored)).toBe(true);
        }
        if (damaged >= 0) expectError(() => iterator.next(), 'ERR_CHECKSUM_MISMATCH', /no intact/);
      }
      // The writer: loud where it was told what is durable, nothing is lost otherwise.
      expectError(() => open({ sealed: true }), 'ERR_CORRUPT', /sealed/);
      if (damaged >= 0) expectError(() => open({ durableOffset: end }), 'ERR_CORRUPT', /durableOffset/);
      if (damaged === 0) {
        expectError(() => open(), 'ERR_FORMAT', /check startOffset/);
        expect(readFileSync(file()).equals(bytes)).toBe(true);
      } else if (bit % 16 === 0) {
        const writer = open();
        expect(writer.recovery!.records).toBe(damaged < 0 ? records.length : damaged);
        expect(writer.recovery!.quarantinedBytes).toBeGreaterThan(0);
        writer.closeSync();
        const aside = readFileSync(writer.recovery!.quarantinePath!);
        expect(
          aside.equals(bytes.subarray(writer.recovery!.offset, writer.recovery!.offset + aside.length)),
        ).toBe(true);
      }
    }
  });

  test('any bytes at all give records or a coded error, twice the same', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constant(new Uint8Array(16)),
      fc.nat(60).map((length) => {
        const data = payload(length, length);
        const writer = SegmentWriter.createSync(path('piece'), { size: 200 });
        writer.append(data);
        writer.closeSync();
        const bytes = readFileSync(path('piece')).subarray(0, 8 + length);
        unlinkSync(path('piece'));
        return new Uint8Array(bytes);
      }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.boolean(), (pieces, discardUnreadable) => {
        const bytes = Buffer.concat([...pieces, Buffer.alloc(1)]);
        writeFileSync(file(), bytes);
        const expected = parseIndependently(bytes);
        let writer: SegmentWriter;
        try {
          writer = open({ discardUnreadable });
        } catch (error) {
          expect((error as { code: string }).code).toBe('ERR_FORMAT');
          expect(expected.records).toEqual([]);
          expect(readFileSync(file()).equals(bytes)).toBe(true);
          return;
        }
        expect(writer.recovery).toMatchObject({ records: expected.records.length, offset: expected.end });
        writer.closeSync();
        const again = open({ sealed: true });
        expect(again.recovery).toMatchObject({ records: expected.records.length, quarantinedBytes: 0 });
        again.closeSync();
      }),
      { numRuns: ANY_BYTES_RUNS },
    );
  });

  test('a change that a crash has left beside the file is of this file, or an error', () => {
    make();
    writeFileSync(`${file()}.pending`, 'torn before the change began');
    open().closeSync();
    expect(existsSync(`${file()}.pending`)).toBe(false);
  });

  test('errors carry what the system said', () => {
    const error = thrownBy(() => SegmentWriter.openSync(path('none/a'))) as Error;
    const expected =
      process.platform === 'win32'
        ? { code: 'Windows error 3', syscall: 'CreateFileW', errno: -3 }
        : { code: 'ENOENT', syscall: 'open', errno: -2 };
    expect(error.cause).toMatchObject(expected);
  });
});
