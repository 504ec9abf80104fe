// What the classes of segment files give out is easy to look at: Buffers, and texts for people.
import { inspect } from 'node:util';

import { parseRecord, SegmentReader, SegmentTail, SegmentWriter } from 'atomic-log';

import { addon } from '../../../support/internals';
import { isShared } from '../../../support/mapping';
import { temporaryDirectory } from '../../../support/segments';

const { path } = temporaryDirectory();
const file = (): string => path('a.seg');
const options = { startOffset: 4, headerSize: 2 };

function write(): SegmentWriter {
  const writer = SegmentWriter.createSync(file(), { size: 4096, ...options });
  writer.writeApplicationHeader(Buffer.from('APPL'));
  writer.append(Buffer.from('e0'), Buffer.from('h0'));
  writer.append(Buffer.alloc(0), Buffer.from('h1'));
  writer.syncSync();
  return writer;
}

describe('data is a Buffer', () => {
  test.each(isShared ? (['pread'] as const) : (['mmap', 'pread'] as const))('in the mode %s', (mode) => {
    using writer = write();
    using reader = SegmentReader.open(file(), { ...options, mode });
    const [first, second] = [...reader.records()];
    // The same as any other Buffer, for those that compare prototypes too.
    expect(Object.getPrototypeOf(first!.data)).toBe(Buffer.prototype);
    expect([first!, second!].flatMap(({ header, data }) => [header, data].map(String))).toEqual([
      'h0',
      'e0',
      'h1',
      '',
    ]);
    expect(reader.read(4).data.toString()).toBe('e0');
    expect([reader.readBytes(0, 4), reader.applicationHeader].map(String)).toEqual(['APPL', 'APPL']);
    expect(writer.applicationHeader.toString()).toBe('APPL');
  });

  test('of a tail and of bytes in memory, whose own memory it shows', () => {
    using writer = write();
    using tail = SegmentTail.open(file(), options);
    expect(tail.next()!.data.toString()).toBe('e0');
    using reader = SegmentReader.open(file(), options);
    const bytes = new Uint8Array(new SharedArrayBuffer(100), 3, 60);
    bytes.set(reader.readBytes(0, 60));
    const { header, data } = parseRecord(bytes, 4, options);
    expect([header, data].map(String)).toEqual(['h0', 'e0']);
    bytes[4 + 8 + 2] = 'E'.charCodeAt(0);
    expect(data.toString()).toBe('E0');
    expect(writer.writeOffset).toBe(26);
  });

  // An addon may be built without zstd.
  (addon.hasCompression ? test : test.skip)('of compressed records', () => {
    using writer = SegmentWriter.createSync(file(), { size: 4096, compression: 'zstd' });
    const text = 'atomic-log '.repeat(100);
    writer.append(Buffer.from(text));
    writer.flush();
    using reader = SegmentReader.open(file());
    const record = reader.read(0);
    expect(record.data.toString()).toBe(text);
    expect(record.compressedData!.readUInt32LE(0)).toBe(text.length);
    expect(inspect(record)).toMatch(
      /^SegmentRecord \{ offset: 0, length: \d+, data: \d+ bytes, compressed \}$/,
    );
  });
});

test('the objects say what they are', () => {
  const writer = write();
  writer.append(Buffer.alloc(10), Buffer.from('h2'));
  const reader = SegmentReader.open(file(), { ...options, flushed: writer.flushedOffset, mode: 'pread' });
  const tail = SegmentTail.open(file(), options);
  const record = tail.next()!;
  const ofReader = (limit: number): string =>
    `SegmentReader { path: '${file()}', mode: 'pread', limit: ${limit} }`;
  expect([writer, reader, tail, record, writer.flushedOffset].map((object) => inspect(object))).toEqual([
    `SegmentWriter { path: '${file()}', writeOffset: 46, flushedOffset: 26, size: 4096 }`,
    ofReader(26),
    `SegmentTail { offset: 16, reader: ${ofReader(4096)} }`,
    'SegmentRecord { offset: 4, length: 12, header: 2 bytes, data: 2 bytes }',
    'FlushedOffset { value: 26 }',
  ]);
  writer.closeSync();
  for (const object of [reader, tail]) object.close();
  expect([writer, reader, tail, record].map(String)).toEqual([
    `SegmentWriter { path: '${file()}', closed, flushedOffset: 46, size: 4096 }`,
    `SegmentReader { path: '${file()}', closed }`,
    `SegmentTail { offset: 16, reader: SegmentReader { path: '${file()}', closed } }`,
    'SegmentRecord { offset: 4, length: 12, header: 2 bytes, data: 2 bytes }',
  ]);
});
