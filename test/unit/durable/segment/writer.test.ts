import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';

import { SegmentReader, SegmentWriter, type SegmentEntry } from 'atomic-log';

import { expectError, thrownBy } from '../../../support/errors';
import { detach } from '../../../support/memory';
import { dataOf, numberHeader, parseFile, payload, temporaryDirectory } from '../../../support/segments';

const { path } = temporaryDirectory();
const file = (): string => path('a.seg');
const KiB = 1024;
const isWindows = process.platform === 'win32';

describe('appending', () => {
  test('gives offsets and lengths, and writes what the format says', () => {
    const writer = SegmentWriter.createSync(file(), { size: 2048 * KiB, startOffset: 16, headerSize: 8 });
    let next = 16;
    const expected: Buffer[] = [];
    for (const length of [0, 1, 5, 64, 1000, 262_127, 262_128, 262_129, 500_000, 3]) {
      expected.push(payload(expected.length, length));
      const appended = writer.append(expected.at(-1)!, numberHeader(expected.length));
      expect(appended).toEqual({ offset: next, length: 16 + length });
      next += 16 + length;
      expect(writer.writeOffset).toBe(next);
      expect(writer.remaining).toBe(2048 * KiB - next);
    }
    expect(writer.flushedOffset.value).toBe(16);
    expect(writer.syncSync()).toBe(next);
    expect(writer.flushedOffset.value).toBe(next);
    writer.closeSync();
    const { records, end } = parseFile(file(), { startOffset: 16, headerSize: 8 });
    expect(end).toBe(next);
    expect(records.map(({ stored }) => stored.equals(expected.shift()!))).toEqual(Array(10).fill(true));
    expect(records.map(({ header }) => Number(header.readBigUInt64LE()))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  test('what was detached is empty, alone and in a batch', () => {
    const writer = SegmentWriter.createSync(file(), { size: 64 * KiB });
    const detached = new Uint8Array(100).fill(1);
    detach(detached.buffer);
    writer.append(detached);
    writer.appendBatch([payload(1, 10), detached, { data: payload(2, 20), header: detached }]);
    writer.closeSync();
    const { records } = parseFile(file());
    expect(records.map(({ stored }) => stored.length)).toEqual([0, 10, 0, 20]);
  });

  test('copies the data before it returns', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4 * KiB });
    const data = Buffer.from('before');
    writer.append(data);
    data.fill('x');
    writer.syncSync();
    expect(parseFile(file()).records[0]!.stored.toString()).toBe('before');
  });

  test('of an iterable, of records with headers, and of packed bytes is the same', () => {
    const lengths = Array.from({ length: 500 }, (_, i) => (i * 37) % 700);
    const entries = lengths.map((length, i) => ({ data: payload(i, length), header: numberHeader(i) }));
    const options = { size: 1024 * KiB, headerSize: 8 };
    const one = SegmentWriter.createSync(path('1'), options);
    for (const { data, header } of entries) one.append(data, header);
    const two = SegmentWriter.createSync(path('2'), options);
    const appended = two.appendBatch(
      (function* () {
        yield* entries;
      })(),
    );
    expect(appended).toEqual({ offset: 0, length: one.writeOffset });
    const three = SegmentWriter.createSync(path('3'), options);
    const packed = Buffer.concat(entries.flatMap(({ data, header }) => [header, data]));
    const sizes = lengths.map((length) => length + 8);
    expect(three.appendBatch(packed, Uint32Array.from(sizes))).toEqual(appended);
    const four = SegmentWriter.createSync(path('4'), options);
    expect(four.appendBatch(packed, sizes)).toEqual(appended);
    for (const writer of [one, two, three, four]) writer.closeSync();
    const bytes = readFileSync(path('1'));
    for (const name of ['2', '3', '4']) expect(readFileSync(path(name)).equals(bytes)).toBe(true);
  });

  test('a batch that does not fit leaves everything as it was', () => {
    using writer = SegmentWriter.createSync(file(), { size: 100 });
    writer.append(payload(0, 12));
    const full = [
      () => writer.appendBatch([payload(1, 32), payload(2, 33)]),
      () => writer.appendBatch(payload(1, 65), [32, 33]),
      () => writer.append(payload(1, 73)),
    ];
    for (const append of full) {
      const error = expectError(append, 'ERR_SEGMENT_FULL', /81 bytes are needed and 80 are left/);
      expect(error).toMatchObject({ attempted: 81, available: 80, path: file() });
      expect(writer.writeOffset).toBe(20);
    }
    writer.appendBatch([payload(1, 32), payload(2, 32)]);
    expect(writer.remaining).toBe(0);
    expectError(
      () => writer.append(Buffer.alloc(0)),
      'ERR_SEGMENT_FULL',
      /8 bytes are needed and 0 are left/,
    );
    expect(writer.syncSync()).toBe(100);
  });

  test('what an iterable appends itself comes first', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4 * KiB });
    const batch = function* (): Generator<SegmentEntry> {
      yield Buffer.from('b');
      writer.append(Buffer.from('a'));
      yield Buffer.from('c');
    };
    expect(writer.appendBatch(batch())).toEqual({ offset: 9, length: 18 });
    writer.syncSync();
    expect(parseFile(file()).records.map(({ stored }) => stored.toString())).toEqual(['a', 'b', 'c']);
  });

  test("an iterable's own error passes through, and nothing was appended", () => {
    using writer = SegmentWriter.createSync(file(), { size: 4 * KiB });
    const failing = function* (): Generator<Buffer> {
      yield Buffer.from('a');
      throw new Error('mine');
    };
    expect(thrownBy(() => writer.appendBatch(failing()))).toEqual(new Error('mine'));
    expect(writer.writeOffset).toBe(0);
    const closing = function* (): Generator<Buffer> {
      yield Buffer.from('a');
      writer.closeSync();
    };
    expectError(() => writer.appendBatch(closing()), 'ERR_WRITER_CLOSED', /open the file again/);
    expect(parseFile(file()).records).toEqual([]);
  });

  test('any Uint8Array will do', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4 * KiB });
    const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7);
    class Mine extends Uint8Array {
      override get length(): number {
        return 99;
      }
    }
    writer.append(shared);
    writer.append(new Mine([1, 2]));
    writer.append(new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2));
    writer.syncSync();
    expect(parseFile(file()).records.map(({ stored }) => [...stored])).toEqual([
      [7, 7, 7],
      [1, 2],
      [2, 3],
    ]);
  });

  test.each<[string, (writer: SegmentWriter) => unknown, RegExp]>([
    ['a string', (w) => w.append('x' as never), /data must be a Uint8Array/],
    ['an array', (w) => w.append([1] as never), /data must be a Uint8Array/],
    ['another typed array', (w) => w.append(new Uint16Array(2) as never), /data must be a Uint8Array/],
    ['an ArrayBuffer', (w) => w.append(new ArrayBuffer(2) as never), /data must be a Uint8Array/],
    ['a header that is no bytes', (w) => w.append(Buffer.alloc(1), {} as never), /header must be/],
    ['a batch of strings', (w) => w.appendBatch(['x'] as never), /an entry must be an object/],
    ['a batch that is a string', (w) => w.appendBatch('xy' as never), /entries must be an iterable/],
    ['a batch that is bytes', (w) => w.appendBatch(Buffer.alloc(4) as never), /give lengths too/],
    ['a batch that is null', (w) => w.appendBatch(null as never), /entries must be an iterable/],
    ['an entry without data', (w) => w.appendBatch([{} as never]), /the data of an entry must be/],
    ['lengths that are no array', (w) => w.appendBatch(Buffer.alloc(1), 1 as never), /lengths must be/],
    ['bytes that are none', (w) => w.appendBatch([] as never, [1]), /bytes must be a Uint8Array/],
  ])('refuses %s', (_name, act, message) => {
    using writer = SegmentWriter.createSync(file(), { size: 4 * KiB });
    expectError(() => act(writer), 'ERR_INVALID_ARG_TYPE', message);
    expect(writer.writeOffset).toBe(0);
  });

  test('refuses headers and lengths that do not fit together', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4 * KiB, headerSize: 4 });
    const act = [
      () => writer.append(Buffer.alloc(8)),
      () => writer.append(Buffer.alloc(8), Buffer.alloc(3)),
      () => writer.appendBatch([{ data: Buffer.alloc(1), header: Buffer.alloc(4) }, Buffer.alloc(1)]),
      () => writer.appendBatch(Buffer.alloc(8), [5, 2]),
      () => writer.appendBatch(Buffer.alloc(8), [4, 3]),
      () => writer.appendBatch(Buffer.alloc(8), [4.5, 3.5]),
      () => writer.appendBatch(Buffer.alloc(8), Uint32Array.of(2 ** 32 - 1, 9)),
    ];
    for (const refused of act) expectError(refused, 'ERR_OUT_OF_RANGE', /must be/);
    expect(writer.writeOffset).toBe(0);
  });
});

describe('sync', () => {
  test('alone moves the flushed offset', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4 * KiB });
    writer.append(payload(0, 10));
    writer.flush();
    expect(writer.flushedOffset.value).toBe(0);
    expect(parseFile(file()).end).toBe(18);
    expect(writer.syncSync()).toBe(18);
    expect(writer.flushedOffset.value).toBe(18);
  });

  test('on another thread does the same', async () => {
    const writer = SegmentWriter.createSync(file(), { size: 64 * KiB });
    writer.append(payload(0, 10));
    const first = writer.sync();
    expect(writer.flushedOffset.value).toBe(0);
    writer.append(payload(1, 10));
    expect(await first).toBe(18);
    const others = [writer.sync(), writer.sync()];
    expect(writer.syncSync()).toBe(36);
    expect(await Promise.all(others)).toEqual([36, 36]);
    writer.closeSync();
    await expect(writer.sync()).rejects.toMatchObject({ code: 'ERR_WRITER_CLOSED' });
  });

  test('that is under way at close() resolves, and the file is free at once', async () => {
    for (let i = 0; i < 20; ++i) {
      const writer = SegmentWriter.createSync(path(`${i}`), { size: 64 * KiB });
      writer.append(payload(0, 10));
      const syncs = [writer.sync(), writer.sync(), writer.sync()];
      writer.closeSync();
      SegmentWriter.openSync(path(`${i}`)).closeSync();
      expect(await Promise.all(syncs)).toEqual([18, 18, 18]);
    }
  });

  test('from before a truncation proves nothing after it', async () => {
    using writer = SegmentWriter.createSync(file(), { size: 64 * KiB });
    writer.append(payload(0, 100));
    const sync = writer.sync();
    writer.setLengthSync(0);
    writer.append(payload(1, 100));
    expect(await sync).toBe(0);
    expect(writer.flushedOffset.value).toBe(0);
  });
});

describe('setLengthSync', () => {
  test('cuts off records for good, and goes on from there', () => {
    const writer = SegmentWriter.createSync(file(), { size: 4 * KiB });
    for (let i = 0; i < 10; ++i) writer.append(payload(i, 32));
    writer.setLengthSync(160);
    expect(writer.writeOffset).toBe(160);
    expect(writer.flushedOffset.value).toBe(160);
    expect(
      readFileSync(file())
        .subarray(160)
        .every((byte) => byte === 0),
    ).toBe(true);
    writer.append(payload(99, 32));
    writer.closeSync();
    const { records } = parseFile(file());
    expect(records.map(({ stored }) => stored[0])).toEqual([0, 1, 2, 3, 99].map((i) => (31 * i) & 255));
  });

  test('to the beginning and to the end', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4 * KiB, startOffset: 10 });
    for (let i = 0; i < 3; ++i) writer.append(payload(i, 2));
    writer.setLengthSync(40);
    expect(writer.writeOffset).toBe(40);
    writer.setLengthSync(10);
    expect(writer.writeOffset).toBe(10);
    writer.append(payload(7, 2));
    writer.syncSync();
    expect(parseFile(file(), { startOffset: 10 }).records).toHaveLength(1);
    expect(readdirSync(path(''))).toEqual(['a.seg']);
  });

  test('refuses what is no record', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4 * KiB, startOffset: 10 });
    for (let i = 0; i < 3; ++i) writer.append(payload(i, 20));
    for (const offset of [0, 9, 95, 5000]) {
      expectError(() => writer.setLengthSync(offset), 'ERR_OUT_OF_RANGE', /outside of the records/);
    }
    for (const offset of [11, 18, 37]) {
      expectError(() => writer.setLengthSync(offset), 'ERR_CHECKSUM_MISMATCH', /no intact record/);
    }
    expectError(() => writer.setLengthSync(-1), 'ERR_OUT_OF_RANGE', /an integer from 0/);
    expectError(() => writer.setLengthSync('1' as never), 'ERR_INVALID_ARG_TYPE', /an integer/);
    expect(writer.writeOffset).toBe(94);
    writer.syncSync();
    expect(parseFile(file(), { startOffset: 10 }).records).toHaveLength(3);
  });
});

describe('replaceHeaderSync', () => {
  test('takes a header, or a function of the record', () => {
    const writer = SegmentWriter.createSync(file(), { size: 8 * KiB, headerSize: 8 });
    const offsets = [400, 100, 700, 20].map(
      (length, i) => writer.append(payload(i, length), numberHeader(i)).offset,
    );
    expect(writer.replaceHeaderSync(offsets[1]!, numberHeader(77))).toBe(true);
    for (const offset of offsets) {
      writer.replaceHeaderSync(offset, ({ header, data, offset: at }) => {
        expect(at).toBe(offset);
        expect(data[1]).toBe((data[0]! + 7) & 255);
        return numberHeader(Number(Buffer.from(header).readBigUInt64LE()) + 1000);
      });
    }
    expect(writer.replaceHeaderSync(offsets[0]!, () => undefined)).toBe(false);
    expect(readdirSync(path(''))).toEqual(['a.seg']);
    writer.closeSync();
    SegmentWriter.openSync(file(), { headerSize: 8, sealed: true }).closeSync();
    const { records } = parseFile(file(), { headerSize: 8 });
    expect(records.map(({ header }) => Number(header.readBigUInt64LE()))).toEqual([1000, 1077, 1002, 1003]);
    expect(records.map(({ stored }, i) => stored.equals(payload(i, stored.length)))).toEqual(
      Array(4).fill(true),
    );
  });

  test('refuses what is no record or no header', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4 * KiB, headerSize: 8 });
    writer.append(payload(0, 10), numberHeader(0));
    expectError(() => writer.replaceHeaderSync(26, numberHeader(1)), 'ERR_OUT_OF_RANGE', /outside/);
    expectError(() => writer.replaceHeaderSync(26, () => undefined), 'ERR_OUT_OF_RANGE', /outside/);
    expectError(() => writer.replaceHeaderSync(3, numberHeader(1)), 'ERR_CHECKSUM_MISMATCH', /at 3/);
    expectError(() => writer.replaceHeaderSync(3, () => undefined), 'ERR_CHECKSUM_MISMATCH', /at 3/);
    expectError(() => writer.replaceHeaderSync(0, Buffer.alloc(7)), 'ERR_OUT_OF_RANGE', /headerSize/);
    expectError(() => writer.replaceHeaderSync(0, 'x' as never), 'ERR_INVALID_ARG_TYPE', /Uint8Array/);
    using other = SegmentWriter.createSync(path('b'), { size: 4 * KiB });
    other.append(payload(0, 10));
    expectError(() => other.replaceHeaderSync(0, Buffer.alloc(0)), 'ERR_OUT_OF_RANGE', /set headerSize/);
  });

  test("a function's own error passes through, and it may close the writer", () => {
    const writer = SegmentWriter.createSync(file(), { size: 4 * KiB, headerSize: 8 });
    writer.append(payload(0, 10), numberHeader(0));
    const fail = (): never => {
      throw new Error('mine');
    };
    expect(thrownBy(() => writer.replaceHeaderSync(0, fail))).toEqual(new Error('mine'));
    const close = (): Buffer => {
      writer.closeSync();
      return numberHeader(1);
    };
    expectError(() => writer.replaceHeaderSync(0, close), 'ERR_WRITER_CLOSED', /closed/);
    SegmentWriter.openSync(file(), { headerSize: 8 }).closeSync();
  });
});

test("the application's header is its own", () => {
  using writer = SegmentWriter.createSync(file(), { size: 4 * KiB, startOffset: 16 });
  expect([...writer.applicationHeader]).toEqual(Array(16).fill(0));
  writer.append(payload(0, 10));
  writer.writeApplicationHeader(Buffer.from('MAGIC'));
  writer.writeApplicationHeader(Buffer.from('end'), 13);
  writer.syncSync();
  expect(writer.applicationHeader.toString()).toBe('MAGIC\0\0\0\0\0\0\0\0end');
  using reader = SegmentReader.open(file(), { startOffset: 16 });
  expect(reader.applicationHeader.toString()).toBe('MAGIC\0\0\0\0\0\0\0\0end');
  expect(dataOf(reader)).toEqual([payload(0, 10)]);
  expectError(() => writer.writeApplicationHeader(Buffer.alloc(4), 13), 'ERR_OUT_OF_RANGE', /startOffset/);
  expectError(() => writer.writeApplicationHeader('x' as never), 'ERR_INVALID_ARG_TYPE', /Uint8Array/);
});

describe('creating and opening', () => {
  test('a file of the given size, with its space', () => {
    SegmentWriter.createSync(file(), { size: 1024 * KiB }).closeSync();
    const { size, blocks } = statSync(file());
    expect(size).toBe(1024 * KiB);
    expect(blocks * 512).toBeGreaterThanOrEqual(1024 * KiB);
  });

  test('refuses a path where something is, or nothing can be', () => {
    SegmentWriter.createSync(file(), { size: KiB }).closeSync();
    const error = expectError(
      () => SegmentWriter.createSync(file(), { size: KiB }),
      'ERR_FILE_EXISTS',
      /SegmentWriter.open\(\)/,
    );
    const cause = isWindows
      ? { code: 'Windows error 80', syscall: 'CreateFileW' }
      : { code: 'EEXIST', syscall: 'open' };
    expect(error).toMatchObject({ path: file(), cause });
    expectError(() => SegmentWriter.openSync(path('b')), 'ERR_FILE_NOT_FOUND', /no such file/);
    expectError(() => SegmentReader.open(path('b')), 'ERR_FILE_NOT_FOUND', /no such file/);
    expectError(
      () => SegmentWriter.createSync(path('b/c'), { size: KiB }),
      'ERR_FILE_NOT_FOUND',
      /its directory is missing/,
    );
    expectError(
      () => SegmentWriter.createSync(path('a.seg/c'), { size: KiB }),
      'ERR_FILE_NOT_FOUND',
      /no such/,
    );
  });

  test('refuses what is not a regular file', () => {
    mkdirSync(path('directory'));
    if (!isWindows) {
      symlinkSync('/dev/null', path('device'));
      execFileSync('mkfifo', [path('pipe')]);
    }
    for (const name of isWindows ? ['directory'] : ['directory', 'device', 'pipe']) {
      for (const open of [SegmentWriter.openSync, SegmentReader.open]) {
        expectError(() => open(path(name)), 'ERR_FILE_ACCESS', /not a regular file/);
      }
    }
  });

  test('refuses what may not be written, and reads it', () => {
    SegmentWriter.createSync(file(), { size: KiB }).closeSync();
    chmodSync(file(), 0o444);
    const script = `
      const { SegmentReader, SegmentWriter } = require(${JSON.stringify(require.resolve('atomic-log'))});
      process.setuid(65534);
      try { SegmentWriter.openSync(${JSON.stringify(file())}) } catch ({ code }) { console.log(code) }
      console.log([...SegmentReader.open(${JSON.stringify(file())}).records()].length);
    `;
    if (process.getuid?.() !== 0) return;
    chmodSync(path(''), 0o755);
    const output = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(output).toBe('ERR_FILE_ACCESS\n0\n');
  });

  test('one writer at a time, in the process and in another', () => {
    const writer = SegmentWriter.createSync(file(), { size: KiB });
    const error = expectError(() => SegmentWriter.openSync(file()), 'ERR_LOCKED', /another writer/);
    expect(error).toMatchObject({ path: file() });
    // Windows lets administrators only make links.
    if (!isWindows) {
      symlinkSync(file(), path('link'));
      expectError(() => SegmentWriter.openSync(path('link')), 'ERR_LOCKED', /another writer/);
    }
    const script = `
      const { SegmentWriter } = require(${JSON.stringify(require.resolve('atomic-log'))});
      try { SegmentWriter.openSync(${JSON.stringify(file())}) } catch ({ code }) { console.log(code) }
    `;
    const inChild = (): string => execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim();
    expect(inChild()).toBe('ERR_LOCKED');
    // Readers may come and go: their handles do not carry the lock away.
    SegmentReader.open(file()).close();
    expect(inChild()).toBe('ERR_LOCKED');
    writer.closeSync();
    expect(inChild()).toBe('');
    SegmentWriter.openSync(file()).closeSync();
  });

  test('a full disk is an error with a code, and leaves nothing', () => {
    // More than any disk has.
    const error = expectError(
      () => SegmentWriter.createSync(file(), { size: 2 ** 51 }),
      'ERR_NO_SPACE',
      /the disk is full/,
    );
    expect(error.cause).toMatchObject({ code: expect.stringMatching(/ENOSPC|EFBIG/) });
    expect(readdirSync(path(''))).toEqual([]);
  });

  test.each<[string, unknown, string, RegExp]>([
    [
      'no options',
      undefined,
      'ERR_INVALID_ARG_TYPE',
      /options.size must be an integer from 1 to \d+; got undefined/,
    ],
    ['null', null, 'ERR_INVALID_ARG_TYPE', /options must be an object/],
    ['a size of 0', { size: 0 }, 'ERR_OUT_OF_RANGE', /options.size/],
    ['a size of NaN', { size: NaN }, 'ERR_OUT_OF_RANGE', /options.size/],
    ['a size of 2^53', { size: 2 ** 53 }, 'ERR_OUT_OF_RANGE', /options.size/],
    ['a size in the header', { size: 64, startOffset: 64 }, 'ERR_OUT_OF_RANGE', /from 65 to/],
    ['a negative startOffset', { size: 64, startOffset: -1 }, 'ERR_OUT_OF_RANGE', /startOffset/],
    ['a startOffset with a fraction', { size: 64, startOffset: 1.5 }, 'ERR_OUT_OF_RANGE', /startOffset/],
    ['a huge headerSize', { size: 64, headerSize: 65_537 }, 'ERR_OUT_OF_RANGE', /headerSize/],
    ['a headerSize as text', { size: 64, headerSize: '8' }, 'ERR_INVALID_ARG_TYPE', /headerSize/],
    ['an unknown checksum', { size: 64, checksum: 'md5' }, 'ERR_INVALID_ARG_VALUE', /'crc32c', 'crc32'; got/],
    ['a checksum that is none', { size: 64, checksum: 1 }, 'ERR_INVALID_ARG_TYPE', /'crc32c', 'crc32'; got/],
  ])('refuses %s', (_name, options, code, message) => {
    expectError(() => SegmentWriter.createSync(file(), options as never), code as never, message);
    expect(readdirSync(path(''))).toEqual([]);
  });

  test.each([undefined, 1, {}, null, '', 'a\0b'])('refuses the path %p', (bad) => {
    const code = typeof bad === 'string' ? 'ERR_INVALID_ARG_VALUE' : 'ERR_INVALID_ARG_TYPE';
    expectError(() => SegmentWriter.createSync(bad as never, { size: KiB }), code, /path must/);
    expectError(() => SegmentWriter.createSync(bad as never, undefined as never), code, /path must/);
    expectError(() => SegmentWriter.openSync(bad as never), code, /path must/);
    expectError(() => SegmentReader.open(bad as never), code, /path must/);
  });

  test('names in other scripts are fine', () => {
    SegmentWriter.createSync(path('журнал-日誌-🪵'), { size: KiB }).closeSync();
    expect(readdirSync(path(''))).toEqual(['журнал-日誌-🪵']);
  });
});

test('after close() every call says so, and closing again is fine', () => {
  const writer = SegmentWriter.createSync(file(), { size: KiB, headerSize: 1 });
  writer.append(Buffer.from('x'), Buffer.from('h'));
  writer.closeSync();
  writer.closeSync();
  writer[Symbol.dispose]();
  const calls = [
    () => writer.append(Buffer.from('x'), Buffer.from('h')),
    () => writer.appendBatch([]),
    () => writer.appendBatch(Buffer.alloc(0), []),
    () => writer.flush(),
    () => writer.syncSync(),
    () => writer.setLengthSync(0),
    () => writer.replaceHeaderSync(0, Buffer.from('i')),
    () => writer.applicationHeader,
    () => writer.writeApplicationHeader(Buffer.alloc(0)),
  ];
  for (const call of calls) expectError(call, 'ERR_WRITER_CLOSED', /open the file again/);
  expect(writer.flushedOffset.value).toBe(10);
});

test('a writer is not constructed', () => {
  const construct = SegmentWriter as unknown as new (...parameters: unknown[]) => object;
  expectError(() => new construct(), 'ERR_ILLEGAL_CONSTRUCTOR', /SegmentWriter.create\(\)/);
});
