import {
  AtomicLog,
  parseRecord,
  SegmentReader,
  SegmentTail,
  SegmentWriter,
  Wal,
  WalReader,
} from 'atomic-log';

import { expectError, rejection } from '../../support/errors';
import { requireInternal } from '../../support/internals';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('file');

const segmentCalls: readonly [string, (options: object) => unknown][] = [
  ['SegmentWriter.createSync', (options) => SegmentWriter.createSync(path(), options as never)],
  ['SegmentWriter.openSync', (options) => SegmentWriter.openSync(path(), options)],
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

test('promises refuse misspelt options too', async () => {
  const misspelt = { size: 4096, header_size: 4 };
  for (const refused of [
    SegmentWriter.create(path(), misspelt as never),
    SegmentWriter.open(path(), misspelt as never),
  ]) {
    expect(await rejection(refused)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  }
});

test('one object of options serves all calls for a segment file', () => {
  const options = { size: 4096, headerSize: 0, compression: 'none', mode: 'pread' } as const;
  SegmentWriter.createSync(path(), options).closeSync();
  SegmentWriter.openSync(path(), options).closeSync();
  SegmentReader.open(path(), options).close();
  SegmentTail.open(path(), options).close();
});

test('a write-ahead log refuses misspelt options, and makes nothing', async () => {
  const cases: readonly [object, RegExp][] = [
    [{ durabilty: 'os' }, /options has no option "durabilty"; the nearest one is durability/],
    // None is near: a name at random would mislead.
    [
      { maxEntrySize: 100 },
      /options has no option "maxEntrySize"; there are segmentBytes, entryBytesMax, .*/,
    ],
    [{ strict_tail: true }, /nearest one is strictTail/],
    [{ commit: { wait: 5 } }, /options\.commit has no option "wait"; the nearest one is waitUs/],
    [
      { ['x'.repeat(100_000)]: 1 },
      /options has no option "x{40}"\.\.\.; there are segmentBytes, entryBytesMax, /,
    ],
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
  SegmentWriter.createSync(directory.path('segment'), { size: 4096 }).closeSync();
  const tail = SegmentTail.open(directory.path('segment'));
  const memory = new AtomicLog({ retainedCapacity: 8, segmentCapacity: 4 });
  const cases: readonly [string, (options: object) => unknown][] = [
    ['options', (options) => memory.follow(options)],
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
  const limit = /nearest one is batchEntriesMax/;
  expectError(() => memory.follow({ batchEntryMax: 5 } as object), 'ERR_INVALID_ARG_VALUE', limit);
  tail.close();
  reader.close();
  log.closeSync();
});

describe('a log in memory refuses misspelt options, and changes nothing', () => {
  const size = { retainedCapacity: 8, segmentCapacity: 4 };
  const make = (options: object): unknown => AtomicLog.claimed({ ...size, ...options } as never);

  test.each([
    [{ shema: { a: 'f64' } }, '"shema"; the nearest one is schema'],
    [{ pinedBytesMax: 1000 }, '"pinedBytesMax"; the nearest one is pinnedBytesMax'],
    [{ retained: 8 }, '"retained"; the nearest one is retainedCapacity'],
    [{ segmentBytes: 8 }, '"segmentBytes"; there are retainedCapacity, segmentCapacity, .*, dataBytes, .*'],
    [{ Mapping: 'shared' }, '"Mapping"; the nearest one is mapping'],
    [{ strictView: true }, '"strictView"; the nearest one is strictViews'],
    [{ Codec: undefined }, '"Codec"; the nearest one is codec'],
  ])('the constructor and claimed(): %p', (options, message) => {
    const expected = new RegExp(`^options has no option ${message}$`);
    expectError(() => make(options), 'ERR_INVALID_ARG_VALUE', expected);
    expectError(() => new AtomicLog({ ...size, ...options } as never), 'ERR_INVALID_ARG_VALUE', expected);
  });

  test('attach(), waitSync(), waitForWriter()', async () => {
    const { writer, log } = AtomicLog.claimed(size);
    const attach = (options: object): unknown => AtomicLog.attach(log.handle, options as never);
    expectError(
      () => attach({ codek: 1 }),
      'ERR_INVALID_ARG_VALUE',
      /no option "codek"; the nearest one is codec/,
    );
    const readers = log.stats().readers.length;
    const wait = (options: object): unknown => log.waitSync(0, 0, options);
    const name = /no option "allowMainTread"; the nearest one is allowMainThread/;
    expectError(() => wait({ allowMainTread: true }), 'ERR_INVALID_ARG_VALUE', name);
    const claim = await rejection(log.waitForWriter({ singal: new AbortController().signal } as object));
    expect(claim).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(claim.message).toMatch(/no option "singal"; the nearest one is signal/);
    expect(log.stats().readers).toHaveLength(readers);
    writer.close();
    log.close();
  });

  test('only names that the object itself has count: no symbols, nothing inherited, no prototype', () => {
    const inherited = Object.create({ note: 1 }) as object;
    const options = Object.assign(inherited, size, { [Symbol('note')]: 1 });
    expect(new AtomicLog(options).segmentCapacity).toBe(4);
    const bare = Object.assign(Object.create(null) as object, size);
    expect(new AtomicLog(bare as typeof size).segmentCapacity).toBe(4);
    expect(new AtomicLog({ ...size, codec: undefined, schema: undefined } as never).segmentCapacity).toBe(4);
  });

  test('a codec may have properties of its own', () => {
    const codec = {
      name: 'mine',
      calls: 0,
      encode: () => new Uint8Array(1),
      decode: () => 1,
    };
    expect(AtomicLog.claimed({ ...size, codec }).writer.append(1)).toBe(0);
  });
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
  expect(() => new AtomicLog(options as never)).toThrow(thrown);
});

describe('numbers', () => {
  const { checkAmount, checkInteger } = requireInternal<{
    checkAmount(what: string, value: unknown, unit: string): number;
    checkInteger(what: string, value: unknown, min?: number, max?: number): number;
  }>('base/checks.js');

  test('an integer between bounds, which are inclusive', () => {
    for (const value of [-2, -0, 0, 1, 3]) expect(checkInteger('n', value, -2, 3)).toBe(value);
    for (const value of [-3, 4, 0.5, NaN, Infinity, -Infinity]) {
      const message = new RegExp(`^n must be an integer from -2 to 3; got ${value}$`);
      expectError(() => checkInteger('n', value, -2, 3), 'ERR_OUT_OF_RANGE', message);
    }
    expectError(
      () => checkInteger('n', 0, 1),
      'ERR_OUT_OF_RANGE',
      /^n must be an integer of at least 1; got 0$/,
    );
    expectError(() => checkInteger('n', 0.5), 'ERR_OUT_OF_RANGE', /^n must be an integer; got 0.5$/);
    for (const value of ['1', 1n, null, undefined, {}, [1], Object(1)]) {
      const message = /^n must be an integer from -2 to 3; got/;
      expectError(() => checkInteger('n', value, -2, 3), 'ERR_INVALID_ARG_TYPE', message);
    }
  });

  test('an amount', () => {
    for (const value of [0, 0.5, Infinity]) expect(checkAmount('t', value, 'bytes')).toBe(value);
    const message = /^t must be a number of bytes, 0 or more; got/;
    for (const value of [-1, NaN])
      expectError(() => checkAmount('t', value, 'bytes'), 'ERR_OUT_OF_RANGE', message);
    for (const value of ['1', 1n, undefined]) {
      expectError(() => checkAmount('t', value, 'bytes'), 'ERR_INVALID_ARG_TYPE', message);
    }
  });

  test('of all logs are refused in the same words', () => {
    const log = Wal.openSync(path());
    const memory = (options: object) =>
      new AtomicLog({ retainedCapacity: 8, segmentCapacity: 4, ...options });
    const calls: readonly [RegExp, (value: never) => unknown][] = [
      [/^options\.segmentCapacity/, (segmentCapacity) => memory({ segmentCapacity })],
      [/^options\.dataBytes/, (dataBytes) => memory({ schema: { text: 'utf8' }, dataBytes })],
      [/^options\.batchEntriesMax/, (batchEntriesMax) => memory({}).follow({ batchEntriesMax })],
      [/^options\.from, unless it is .*,/, (from) => memory({}).follow({ from })],
      [/^index/, (index) => memory({}).waitSync(index, 0, { allowMainThread: true })],
      [/^count/, (count) => memory({}).tryClaimWriter()!.reserve(count)],
      [/^options\.size/, (size) => SegmentWriter.createSync(path(), { size })],
      [/^offset/, (offset) => parseRecord(Buffer.alloc(8), offset)],
      [/^lsn/, (lsn) => log.get(lsn)],
      [/^range\.to/, (to) => log.entries({ to })],
      [/^options\.commit\.waitUs/, (waitUs) => Wal.openSync(directory.path('other'), { commit: { waitUs } })],
    ];
    for (const [what, call] of calls) {
      const message = new RegExp(
        `${what.source} must be an integer (from \\d+ to \\d+|of at least \\d+); got`,
      );
      expectError(() => call(-1 as never), 'ERR_OUT_OF_RANGE', message);
      expectError(() => call(1.5 as never), 'ERR_OUT_OF_RANGE', message);
      expectError(() => call({} as never), 'ERR_INVALID_ARG_TYPE', message);
    }
    log.closeSync();
  });
});

describe('what is not bytes is refused with how it becomes some', () => {
  test.each([
    ['a string', 'an order', /; got "an order"; Buffer\.from\(text\) has its bytes$/],
    ['an object', { id: 1 }, /; got an object; Buffer\.from\(JSON\.stringify\(value\)\) has its bytes$/],
    ['an ArrayBuffer', new ArrayBuffer(1), /; got an ArrayBuffer; new Uint8Array\(buffer\) shows its bytes$/],
    ['a SharedArrayBuffer', new SharedArrayBuffer(1), /; new Uint8Array\(buffer\) shows its bytes$/],
    [
      'a view of another type',
      new Float64Array(1),
      /; new Uint8Array\(view\.buffer, view\.byteOffset, view\.byteLength\) /,
    ],
    ['a number', 7, /; got 7$/],
    ['an array', [1], /; got an array$/],
    ['null', null, /; got null$/],
  ])('%s', async (_, data, message) => {
    await using wal = await Wal.open(path());
    expectError(() => wal.write(data as never), 'ERR_INVALID_ARG_TYPE', /^data must be a Uint8Array; got /);
    expectError(() => wal.write(data as never), 'ERR_INVALID_ARG_TYPE', message);
  });
});
