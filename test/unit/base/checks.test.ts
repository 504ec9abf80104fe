import { parseRecord, SegmentReader, SegmentTail, SegmentWriter, Wal, WalReader } from 'atomic-log';

import { expectError, rejection } from '../../support/errors';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('file');

const segmentCalls: readonly [string, (options: object) => unknown][] = [
  ['SegmentWriter.create', (options) => SegmentWriter.create(path(), options as never)],
  ['SegmentWriter.open', (options) => SegmentWriter.open(path(), options)],
  ['SegmentReader.open', (options) => SegmentReader.open(path(), options)],
  ['SegmentTail.open', (options) => SegmentTail.open(path(), options)],
  ['parseRecord', (options) => parseRecord(Buffer.alloc(8), 0, options)],
];

test.each(segmentCalls)('%s refuses misspelt options', (_, call) => {
  expectError(
    () => call({ size: 4096, header_size: 4 }),
    'ERR_INVALID_ARG_VALUE',
    /options has no option "header_size"; the nearest one is headerSize/,
  );
  expectError(() => call({ Sealed: undefined }), 'ERR_INVALID_ARG_VALUE', /nearest one is sealed/);
});

test('one object of options serves all calls for a segment file', () => {
  const options = { size: 4096, headerSize: 0, compression: 'none', mode: 'pread' } as const;
  SegmentWriter.create(path(), options).close();
  SegmentWriter.open(path(), options).close();
  SegmentReader.open(path(), options).close();
  SegmentTail.open(path(), options).close();
});

test('a write-ahead log refuses misspelt options, and makes nothing', async () => {
  const cases: readonly [object, RegExp][] = [
    [{ durabilty: 'os' }, /options has no option "durabilty"; the nearest one is durability/],
    [{ strict_tail: true }, /nearest one is strictTail/],
    [{ commit: { wait: 5 } }, /options\.commit has no option "wait"; the nearest one is waitUs/],
    [{ ['x'.repeat(100_000)]: 1 }, /options has no option "x{40}"\.\.\.; the nearest/],
  ];
  for (const [options, message] of cases) {
    expectError(() => Wal.openSync(path(), options), 'ERR_INVALID_ARG_VALUE', message);
    expect((await rejection(Wal.open(path(), options))).message).toMatch(message);
  }
  expectError(
    () => Wal.openSync(path(), { [Symbol('note')]: 1, firstLsn: 0 }),
    'ERR_OUT_OF_RANGE',
    /firstLsn/,
  );
});

test('so does an append: a fence that is misspelt is no fence', async () => {
  const log = Wal.openSync(path());
  const options = { expectedLSN: 1 };
  const message = /options has no option "expectedLSN"; the nearest one is expectedLsn/;
  expectError(() => log.appendSync(Buffer.alloc(1), options as never), 'ERR_INVALID_ARG_VALUE', message);
  expect((await rejection(log.append(Buffer.alloc(1), options as never))).message).toMatch(message);
  expect(log.lastLsn).toBe(0);
  log.closeSync();
});

test('so do reading and following: a misspelt bound would deliver everything again', () => {
  const log = Wal.openSync(path());
  const reader = WalReader.open(path());
  SegmentWriter.create(directory.path('segment'), { size: 4096 }).close();
  const tail = SegmentTail.open(directory.path('segment'));
  const cases: readonly [string, (options: object) => unknown][] = [
    ['range', (options) => log.entries(options)],
    ['range', (options) => reader.entries(options)],
    ['options', (options) => log.follow(options)],
    ['options', (options) => reader.follow(options)],
  ];
  for (const [what, call] of cases) {
    const message = new RegExp(`^${what} has no option "form"; the nearest one is from$`);
    expectError(() => call({ form: 3 }), 'ERR_INVALID_ARG_VALUE', message);
  }
  const other = /nearest one is (tail|pollMs)/;
  expectError(() => WalReader.open(path(), { tial: 'intact' } as object), 'ERR_INVALID_ARG_VALUE', other);
  expectError(() => tail.follow({ pollms: 5 } as object), 'ERR_INVALID_ARG_VALUE', other);
  tail.close();
  reader.close();
  log.closeSync();
});

test('what a proxy throws passes through', () => {
  const thrown = new Error('mine');
  const options = new Proxy(
    {},
    {
      ownKeys: () => {
        throw thrown;
      },
    },
  );
  expect(() => Wal.openSync(path(), options)).toThrow(thrown);
  expect(() => SegmentReader.open(path(), options)).toThrow(thrown);
});
