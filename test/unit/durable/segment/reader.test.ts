import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

import { FlushedOffset, SegmentReader, SegmentRecord, SegmentWriter } from 'atomic-log';

import { expectError } from '../../../support/errors';
import { collectGarbage } from '../../../support/memory';
import { describeExternal, isShared } from '../../../support/mapping';
import { dataOf, numberHeader, payload, temporaryDirectory } from '../../../support/segments';

const { path } = temporaryDirectory();
const file = (): string => path('a.seg');
const KiB = 1024;
/** Files are read where no external memory is allowed. */
const modes = isShared ? (['pread'] as const) : (['mmap', 'pread'] as const);

function damage(offset: number, ...bytes: number[]): void {
  const descriptor = openSync(file(), 'r+');
  writeSync(descriptor, Uint8Array.from(bytes), 0, bytes.length, offset);
  closeSync(descriptor);
}

describe.each(modes)('in the mode %s', (mode) => {
  let writer: SegmentWriter;
  let reader: SegmentReader | undefined;
  /** Of 200 records, from nothing to some KiB; two do not fit into any read-ahead. */
  const lengthOf = (i: number): number => (i === 100 || i === 101 ? 70_000 : (i * i) % 3000);
  let offsets: number[];

  beforeEach(() => {
    writer = SegmentWriter.createSync(file(), { size: 1024 * KiB, startOffset: 40, headerSize: 8 });
    offsets = [];
    for (let i = 0; i < 200; ++i) {
      offsets.push(writer.append(payload(i, lengthOf(i)), numberHeader(i)).offset);
    }
    writer.syncSync();
    reader = undefined;
  });
  afterEach(() => {
    reader?.close();
    writer.closeSync();
  });
  const open = (options = {}): SegmentReader =>
    (reader = SegmentReader.open(file(), { startOffset: 40, headerSize: 8, mode, ...options }));

  test('refuses a hint that there is not', () => {
    open();
    const message = /^hint must be one of 'random', 'sequential'; got /;
    expectError(() => reader!.read(offsets[0]!, 'seq' as never), 'ERR_INVALID_ARG_VALUE', message);
    expectError(() => reader!.read(offsets[0]!, 1 as never), 'ERR_INVALID_ARG_TYPE', message);
  });

  test.each(['random', 'sequential'] as const)('reads every record with the hint %s', (hint) => {
    open();
    expect(reader!.mode).toBe(mode);
    const order = offsets.map((_, i) => (i * 77) % 200);
    for (const i of hint === 'random' ? order : offsets.keys()) {
      const record = reader!.read(offsets[i]!, hint);
      expect(record).toBeInstanceOf(SegmentRecord);
      expect([record.offset, record.length, record.isCompressed]).toEqual([
        offsets[i],
        16 + lengthOf(i),
        false,
      ]);
      expect(record.header.equals(numberHeader(i))).toBe(true);
      expect(record.data.equals(payload(i, lengthOf(i)))).toBe(true);
    }
  });

  test('iterates, from the first or from any', () => {
    open({ flushed: writer.flushedOffset });
    const all = [...reader!.records()];
    expect(all.map(({ offset }) => offset)).toEqual(offsets);
    expect(all.map(({ data }, i) => Buffer.from(data).equals(payload(i, lengthOf(i))))).toEqual(
      Array(200).fill(true),
    );
    expect(all.every(({ header }, i) => Buffer.from(header).equals(numberHeader(i)))).toBe(true);
    expect([...reader!.records(offsets[150])]).toHaveLength(50);
    expect([...reader!.records(writer.writeOffset)]).toEqual([]);
  });

  test('records that were kept stay as they are while others are read', () => {
    open();
    const kept = reader!.read(offsets[7]!, 'sequential');
    for (const _ of reader!.records()) void _;
    expect(kept.data).toEqual(payload(7, lengthOf(7)));
  });

  test('an iterator that came to the end goes on when there is more', () => {
    open({ flushed: writer.flushedOffset });
    const records = reader!.records();
    let count = 0;
    while (records.next().done !== true) ++count;
    expect(count).toBe(200);
    for (let i = 200; i < 210; ++i) {
      writer.append(payload(i, 50), numberHeader(i));
      expect(records.next().done).toBe(true);
      writer.syncSync();
      const { value } = records.next();
      expect(value!.data).toEqual(payload(i, 50));
      expect(records.next().done).toBe(true);
    }
  });

  test('without a flushed offset it sees what the system has, and goes on too', () => {
    open();
    const records = reader!.records();
    while (records.next().done !== true);
    writer.append(payload(1, 10), numberHeader(200));
    writer.flush();
    expect(records.next().value!.data).toEqual(payload(1, 10));
  });

  test('nothing beyond the flushed offset is read', () => {
    const end = writer.writeOffset;
    writer.append(payload(1, 10), numberHeader(200));
    writer.flush();
    open({ flushed: writer.flushedOffset.handle });
    expect(reader!.limit).toBe(end);
    const error = expectError(() => reader!.read(end), 'ERR_OUT_OF_RANGE', /outside of the records/);
    expect(error).toMatchObject({ offset: end, path: file() });
    expectError(() => reader!.readBytes(end - 1, 2), 'ERR_OUT_OF_RANGE', /outside/);
    expect([...reader!.readBytes(end - 1, 1)]).toEqual([readFileSync(file())[end - 1]]);
    writer.syncSync();
    expect(reader!.read(end).data).toEqual(payload(1, 10));
  });

  test('truncation and what is appended after it is seen at once', () => {
    open({ flushed: writer.flushedOffset });
    expect([...reader!.records()]).toHaveLength(200);
    reader!.read(offsets[60]!, 'sequential');
    writer.setLengthSync(offsets[50]!);
    expectError(() => reader!.read(offsets[60]!), 'ERR_OUT_OF_RANGE', /outside/);
    expect([...reader!.records()]).toHaveLength(50);
    for (let i = 50; i < 70; ++i) writer.append(payload(i + 1000, lengthOf(i)), numberHeader(i));
    writer.syncSync();
    const data = dataOf(reader!);
    expect(data).toHaveLength(70);
    expect(data.slice(50).every((bytes, i) => bytes.equals(payload(i + 1050, lengthOf(i + 50))))).toBe(true);
  });

  test('a replaced header is seen', () => {
    open({ flushed: writer.flushedOffset });
    for (const i of [3, 30, 199]) {
      reader!.read(offsets[i]!);
      writer.replaceHeaderSync(offsets[i]!, numberHeader(5000 + i));
      expect(reader!.read(offsets[i]!).header).toEqual(numberHeader(5000 + i));
    }
  });

  test('a damaged record is an error with its offset, and reading goes on behind it', () => {
    for (const i of [0, 9, 100, 199]) {
      // One that has not read ahead.
      reader?.close();
      open();
      const at = offsets[i]! + 10;
      const byte = readFileSync(file())[at]!;
      damage(at, byte ^ 1);
      for (const hint of ['random', 'sequential'] as const) {
        const error = expectError(
          () => reader!.read(offsets[i]!, hint),
          'ERR_CHECKSUM_MISMATCH',
          /no intact record is at \d+/,
        );
        expect(error).toMatchObject({ offset: offsets[i], path: file() });
      }
      const records = reader!.records();
      for (let before = 0; before < i; ++before) expect(records.next().done).toBe(false);
      expectError(() => records.next(), 'ERR_CHECKSUM_MISMATCH', /no intact record/);
      if (i < 199) expect(reader!.read(offsets[i + 1]!).offset).toBe(offsets[i + 1]);
      damage(at, byte);
      expect(reader!.read(offsets[i]!).offset).toBe(offsets[i]);
    }
  });

  test('offsets that are no record', () => {
    open();
    expectError(() => reader!.read(39), 'ERR_OUT_OF_RANGE', /outside/);
    expectError(() => reader!.read(1024 * KiB), 'ERR_OUT_OF_RANGE', /outside/);
    expectError(() => reader!.read(2 ** 51), 'ERR_OUT_OF_RANGE', /outside/);
    expectError(() => reader!.read(41), 'ERR_CHECKSUM_MISMATCH', /at 41/);
    expectError(() => reader!.read(writer.writeOffset), 'ERR_END_OF_LOG', /the log ends/);
    expectError(() => reader!.read(1024 * KiB - 3), 'ERR_END_OF_LOG', /the log ends/);
    for (const offset of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      expectError(() => reader!.read(offset), 'ERR_OUT_OF_RANGE', /offset must be an integer/);
      expectError(() => reader!.records(offset), 'ERR_OUT_OF_RANGE', /from must be an integer/);
      expectError(() => reader!.readBytes(offset, 1), 'ERR_OUT_OF_RANGE', /offset must be/);
      expectError(() => reader!.readBytes(0, offset), 'ERR_OUT_OF_RANGE', /length must be|outside/);
      expectError(() => reader!.prefetch(offset), 'ERR_OUT_OF_RANGE', /offset must be/);
    }
    for (const bad of ['0', 0n, {}, null, undefined]) {
      expectError(() => reader!.read(bad as never), 'ERR_INVALID_ARG_TYPE', /offset must be/);
    }
    expectError(() => reader!.read(40, 'backwards' as never), 'ERR_INVALID_ARG_VALUE', /'sequential'/);
    reader!.prefetch(40);
    reader!.prefetch(2 ** 51);
  });

  test('hostile lengths are refused without taking memory for them', () => {
    const at = writer.writeOffset;
    open();
    const before = process.memoryUsage().rss;
    for (const word of [1, 0x000f_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      damage(at, word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24, 1, 2, 3, 4);
      expectError(() => reader!.read(at), 'ERR_CHECKSUM_MISMATCH', /no intact record/);
      expectError(() => reader!.read(at, 'sequential'), 'ERR_CHECKSUM_MISMATCH', /no intact record/);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
    damage(at, 0, 0, 0, 0, 0, 0, 0, 0);
  });

  test('clones read on their own, and outlive the original', () => {
    open({ flushed: writer.flushedOffset });
    const clone = reader!.clone();
    expect(clone.mode).toBe(mode);
    const record = clone.read(offsets[5]!);
    reader!.close();
    expect(record.data).toEqual(payload(5, lengthOf(5)));
    expect([...clone.records()]).toHaveLength(200);
    expect(clone.limit).toBe(writer.writeOffset);
    clone.close();
    expectError(() => clone.clone(), 'ERR_READER_CLOSED', /open another one/);
  });

  test('after close() every call says so', () => {
    open();
    const records = reader!.records();
    const record = records.next().value!;
    reader!.close();
    reader!.close();
    const calls = [
      () => reader!.read(40),
      () => reader!.records(),
      () => reader!.readBytes(0, 1),
      () => reader!.prefetch(0),
      () => reader!.limit,
      () => reader!.applicationHeader,
      () => reader!.clone(),
    ];
    for (const call of calls) expectError(call, 'ERR_READER_CLOSED', /open another one/);
    if (mode === 'mmap') expectError(() => record.data, 'ERR_READER_CLOSED', /copy what is needed/);
    else expect(record.data).toEqual(payload(0, 0));
  });
});

describeExternal('a mapping', () => {
  const make = (): SegmentWriter => {
    const writer = SegmentWriter.createSync(file(), { size: 64 * KiB });
    for (let i = 0; i < 100; ++i) writer.append(payload(i, 400));
    writer.syncSync();
    return writer;
  };

  test('is what records are views of', () => {
    using writer = make();
    using reader = SegmentReader.open(file(), { flushed: writer.flushedOffset });
    const [first, second] = [reader.read(0), reader.read(408)];
    expect(first.data.buffer).toBe(second.data.buffer);
    expect(first.data.buffer.byteLength).toBe(64 * KiB);
  });

  test('a stray store does no harm: not to the file, and not to what is read later', () => {
    using writer = make();
    using reader = SegmentReader.open(file(), { flushed: writer.flushedOffset });
    const { data } = reader.read(0);
    data.fill(0xff);
    expect(reader.read(0).data).toEqual(payload(0, 400));
    expect(dataOf(reader)[0]).toEqual(payload(0, 400));
    writer.setLengthSync(0);
    for (let i = 0; i < 100; ++i) writer.append(payload(i + 500, 400));
    writer.syncSync();
    expect(dataOf(reader).every((bytes, i) => bytes.equals(payload(i + 500, 400)))).toBe(true);
  });

  test('views that outlive the reader show zeros where the system can do that, and nothing crashes', async () => {
    using writer = make();
    let view: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < 50; ++i) {
      const reader = SegmentReader.open(file(), { flushed: writer.flushedOffset });
      view = reader.read(0).data;
      expect(view[1]).toBe(7);
      reader.close();
      // Windows cannot put other memory there: the file stays mapped.
      expect(view[1]).toBe(process.platform === 'win32' ? 7 : 0);
      view.fill(1);
      if (i % 10 === 9) await collectGarbage();
    }
    expect(view.every((byte) => byte === 1)).toBe(true);
  });

  test('that was dropped without close() is let go of, but not under its views', async () => {
    using writer = make();
    let view: Uint8Array | undefined = (() => {
      const { data } = SegmentReader.open(file(), { flushed: writer.flushedOffset }).read(0);
      return data;
    })();
    await collectGarbage();
    expect(view.length).toBe(400);
    expect([0, 7]).toContain(view[1]);
    view = undefined;
    await collectGarbage();
  });

  test('of a file shorter than a page is not needed', () => {
    using writer = SegmentWriter.createSync(file(), { size: 100 });
    writer.append(payload(3, 20));
    writer.syncSync();
    using reader = SegmentReader.open(file());
    expect(reader.mode).toBe('pread');
    expect(dataOf(reader)).toEqual([payload(3, 20)]);
  });
});

describe('opening', () => {
  test('refuses bad options', () => {
    SegmentWriter.createSync(file(), { size: KiB }).closeSync();
    const open = (options: object) => () => SegmentReader.open(file(), options);
    expectError(open({ mode: 'fast' }), 'ERR_INVALID_ARG_VALUE', /one of 'mmap', 'pread'; got/);
    expectError(open({ mode: 1 }), 'ERR_INVALID_ARG_TYPE', /one of 'mmap', 'pread'; got/);
    expectError(open({ flushed: {} }), 'ERR_INVALID_HANDLE', /writer.flushedOffset.handle/);
    expectError(open({ flushed: null }), 'ERR_INVALID_HANDLE', /writer.flushedOffset.handle/);
    expectError(open({ startOffset: KiB }), 'ERR_FORMAT', /ends before its startOffset/);
    expectError(open({ checksum: 'CRC' }), 'ERR_INVALID_ARG_VALUE', /one of 'crc32c', 'crc32'; got/);
  });

  test('a reader is not constructed', () => {
    for (const constructor of [SegmentReader, SegmentRecord]) {
      const construct = constructor as unknown as new (...parameters: unknown[]) => object;
      expectError(() => new construct(Symbol('forged')), 'ERR_ILLEGAL_CONSTRUCTOR', /use /);
    }
  });

  test('a flushed offset that lies beyond the file, or is nonsense, ends at the file', () => {
    using writer = SegmentWriter.createSync(file(), { size: 8 * KiB });
    writer.append(payload(3, 20));
    writer.syncSync();
    const wild = new FlushedOffset();
    const cells = new BigInt64Array(wild.handle.cells);
    using reader = SegmentReader.open(file(), { flushed: wild });
    for (const value of [2n ** 62n, -1n, 8193n]) {
      cells[0] = value;
      expect(reader.limit).toBe(8 * KiB);
      expect(dataOf(reader)).toEqual([payload(3, 20)]);
    }
    // A change that never ends does not hold the reader up for ever.
    cells[1] = 1n;
    expect(dataOf(reader)).toEqual([payload(3, 20)]);
  });
});
