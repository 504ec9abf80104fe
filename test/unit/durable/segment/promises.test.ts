// What waits for the disk is a Promise: what may be called meanwhile, and what a forgotten await costs.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { SegmentReader, SegmentWriter } from 'atomic-log';

import { expectError, rejection } from '../../../support/errors';
import { testWith } from '../../../support/runtime';
import { dataOf, parseFile, payload, temporaryDirectory } from '../../../support/segments';

const { path } = temporaryDirectory();
const file = (): string => path('a.seg');
const library = JSON.stringify(require.resolve('atomic-log'));
const onLinux = process.platform === 'linux' ? test : test.skip;

test('create, append, sync, close and open again', async () => {
  const writer = await SegmentWriter.create(file(), { size: 4096 });
  expect(writer.recovery).toBeUndefined();
  writer.append(payload(0, 10));
  expect(await writer.sync()).toBe(18);
  expect(writer.flushedOffset.value).toBe(18);
  writer.append(payload(1, 10));
  await writer.close();
  expect(writer.flushedOffset.value).toBe(36);
  const again = await SegmentWriter.open(file(), { durableOffset: 36 });
  expect(again.recovery).toMatchObject({ records: 2, offset: 36, quarantinedBytes: 0 });
  await again[Symbol.asyncDispose]();
  SegmentWriter.openSync(file()).closeSync();
});

test('the event loop turns while a large file is made, opened and closed', async () => {
  const turnsWhile = async <T>(promise: Promise<T>): Promise<[T, number]> => {
    let turns = 0;
    let isOver = false;
    const over = (): void => void (isOver = true);
    promise.then(over, over);
    while (!isOver) {
      ++turns;
      await turn();
    }
    return [await promise, turns];
  };
  const turns = [0, 0, 0];
  // A call that waited here would let it turn once, however often it is tried; on a
  // busy machine the pool may be done before the first turn ends.
  for (let tries = 0; tries < 30 && Math.min(...turns) < 2; ++tries) {
    const name = path(`large-${tries}`);
    const [writer, ofCreate] = await turnsWhile(SegmentWriter.create(name, { size: 32 << 20 }));
    const data = Buffer.alloc(1000, 7);
    while (writer.remaining > 2000) writer.append(data);
    const [, ofClose] = await turnsWhile(writer.close());
    const [again, ofOpen] = await turnsWhile(SegmentWriter.open(name));
    again.closeSync();
    rmSync(name);
    [ofCreate, ofClose, ofOpen].forEach((count, i) => (turns[i] = Math.max(turns[i]!, count)));
  }
  for (const count of turns) expect(count).toBeGreaterThan(1);
});

test('rejects with what the other ways throw', async () => {
  expect(await rejection(SegmentWriter.open(file()))).toMatchObject({
    code: 'ERR_FILE_NOT_FOUND',
    path: file(),
  });
  expect(await rejection(SegmentWriter.create(file(), { size: 0 }))).toMatchObject({
    code: 'ERR_OUT_OF_RANGE',
  });
  expect(await rejection(SegmentWriter.open(1 as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  SegmentWriter.createSync(file(), { size: 4096 }).closeSync();
  expect(await rejection(SegmentWriter.create(file(), { size: 1 }))).toMatchObject({
    code: 'ERR_FILE_EXISTS',
  });
  expect(await rejection(SegmentWriter.open(file(), { size: 5 }))).toMatchObject({ code: 'ERR_FORMAT' });
});

test('of many that open a file at once, one gets it', async () => {
  SegmentWriter.createSync(file(), { size: 1 << 20 }).closeSync();
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => SegmentWriter.open(file())));
  const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const refused = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as object] : [],
  );
  expect(opened).toHaveLength(1);
  for (const error of refused) expect(error).toMatchObject({ code: 'ERR_LOCKED' });
  await opened[0]!.close();
  SegmentWriter.openSync(file()).closeSync();
});

test('appending goes on while a sync is under way', async () => {
  await using writer = await SegmentWriter.create(file(), { size: 1 << 20 });
  const syncs: Promise<number>[] = [];
  const ends: number[] = [];
  for (let i = 0; i < 30; ++i) {
    writer.append(payload(i, 4000));
    ends.push(writer.writeOffset);
    syncs.push(writer.sync());
    writer.append(payload(i, 3));
  }
  // Each covers what was appended before it was called.
  expect((await Promise.all(syncs)).every((flushed, i) => flushed >= ends[i]!)).toBe(true);
  await writer.sync();
  using reader = SegmentReader.open(file(), { flushed: writer.flushedOffset });
  expect(dataOf(reader).map(({ length }) => length)).toEqual(Array(30).fill([4000, 3]).flat());
});

describe('close()', () => {
  test('resolves after the syncs that are under way; until then the file is taken', async () => {
    for (let i = 0; i < 20; ++i) {
      const writer = SegmentWriter.createSync(path(String(i)), { size: 1 << 16 });
      writer.append(payload(0, 10));
      const order: string[] = [];
      const syncs = [1, 2, 3].map((name) =>
        writer.sync().then((flushed) => order.push(`${name}: ${flushed}`)),
      );
      const closed = writer.close();
      expect(writer.close()).toBe(closed);
      for (const call of [
        () => writer.append(payload(1, 1)),
        () => writer.flush(),
        () => writer.syncSync(),
      ]) {
        expectError(call, 'ERR_WRITER_CLOSED', /open the file again/);
      }
      expect(await rejection(writer.sync())).toMatchObject({ code: 'ERR_WRITER_CLOSED' });
      expectError(() => SegmentWriter.openSync(path(String(i))), 'ERR_LOCKED', /another writer/);
      await closed;
      expect(order.sort()).toEqual(['1: 18', '2: 18', '3: 18']);
      SegmentWriter.openSync(path(String(i))).closeSync();
      await Promise.all(syncs);
    }
  });

  test('may be overtaken by closeSync(), and comes after it', async () => {
    for (let i = 0; i < 20; ++i) {
      const writer = SegmentWriter.createSync(path(String(i)), { size: 1 << 16 });
      writer.append(payload(0, 10));
      const sync = writer.sync();
      const closed = writer.close();
      writer.closeSync();
      SegmentWriter.openSync(path(String(i))).closeSync();
      await closed;
      expect(await sync).toBe(18);
      await writer.close();
    }
    const writer = SegmentWriter.createSync(file(), { size: 4096 });
    writer.closeSync();
    await writer.close();
  });

  test('takes what was appended along', async () => {
    {
      await using writer = await SegmentWriter.create(file(), { size: 1 << 20 });
      for (let i = 0; i < 100; ++i) writer.append(payload(i, 100));
    }
    expect(parseFile(file()).records).toHaveLength(100);
  });
});

describe('setLength() and replaceHeader()', () => {
  test('a sync waits for those that are called one after the other', async () => {
    await using writer = await SegmentWriter.create(file(), { size: 4096, headerSize: 2 });
    const offsets = Array.from(
      { length: 9 },
      (_, i) => writer.append(payload(i, 10), Buffer.alloc(2)).offset,
    );
    const changes = (async () => {
      for (const offset of offsets.slice(3).reverse()) await writer.setLength(offset);
      await writer.replaceHeader(offsets[0]!, Buffer.from('ab'));
    })();
    const syncs = await Promise.all([writer.sync(), writer.sync()]);
    expect(syncs).toEqual([offsets[3], offsets[3]]);
    await changes;
  });

  const create = (): Promise<SegmentWriter> => SegmentWriter.create(file(), { size: 1 << 20, headerSize: 4 });
  const header = (number: number): Uint8Array => new Uint8Array(4).fill(number);
  /** Offsets of records 0, 1, … with headers of zeros. */
  const append = (writer: SegmentWriter, count: number): number[] =>
    Array.from({ length: count }, (_, i) => writer.append(payload(i, 100), header(0)).offset);

  test.each(['close', 'closeSync'] as const)(
    'a sync that waits for one resolves also when %s() comes',
    async (close) => {
      const writer = await SegmentWriter.create(file(), { size: 4096, headerSize: 2 });
      const offsets = [1, 2, 3].map((i) => writer.append(payload(i, 10), Buffer.alloc(2)).offset);
      const changes = Promise.allSettled([writer.setLength(offsets[2]!), writer.setLength(offsets[1]!)]);
      const sync = writer.sync();
      const closed = writer[close]();
      expect(await rejection(writer.sync())).toMatchObject({ code: 'ERR_WRITER_CLOSED' });
      await closed;
      const made = (await changes).filter(({ status }) => status === 'fulfilled').length;
      // closeSync() overtakes those that were not begun.
      if (close === 'close') expect(made).toBe(2);
      expect(await sync).toBe([offsets[2]! + 20, offsets[2], offsets[1]][made]);
    },
  );

  test('are made in the order of the calls, and sync() and close() come after them', async () => {
    const writer = await create();
    const offsets = append(writer, 40);
    const seen: (number | undefined)[] = [];
    const given = header(1);
    const changes = [
      ...offsets.map((offset) => writer.replaceHeader(offset, given)),
      writer.replaceHeader(offsets[3]!, (record) => void seen.push(record.header[0])),
      writer.replaceHeader(offsets[3]!, (record) => {
        seen.push(record.header[0]);
        return header(2);
      }),
      writer.replaceHeader(offsets[3]!, (record) => void seen.push(record.header[0])),
      writer.setLength(offsets[30]!),
    ];
    // It was copied.
    given.fill(9);
    const late = rejection(writer.replaceHeader(offsets[30]!, header(3)));
    expect(await writer.sync()).toBe(offsets[30]);
    expect(await Promise.all(changes)).toEqual([...Array(40).fill(true), false, true, false, undefined]);
    expect(await late).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(seen).toEqual([1, 1, 2]);
    expect(writer.writeOffset).toBe(offsets[30]);
    writer.append(payload(30, 7), header(4));
    const last = writer.replaceHeader(offsets[0]!, header(5));
    await writer.close();
    expect(await last).toBe(true);
    using reader = SegmentReader.open(file(), { headerSize: 4 });
    const headers = [...reader.records()].map((record) => record.header[0]);
    expect(headers).toEqual([5, 1, 1, 2, ...Array(26).fill(1), 4]);
  });

  test('until one is done nothing is appended, and all is as before when it fails', async () => {
    await using writer = await create();
    const [first, second] = append(writer, 2) as [number, number];
    const change = writer.setLength(second);
    for (const call of [
      () => writer.append(payload(1, 1), header(0)),
      () => writer.appendBatch([]),
      () => writer.appendBatch(new Uint8Array(4), [4]),
      () => writer.flush(),
      () => writer.syncSync(),
      () => writer.setLengthSync(first),
      () => writer.replaceHeaderSync(first, header(1)),
      () => writer.applicationHeader,
      () => writer.writeApplicationHeader(new Uint8Array(0)),
    ]) {
      expectError(call, 'ERR_WRITER_BUSY', /await setLength\(\) or replaceHeader\(\)/);
    }
    await change;
    expect(writer.append(payload(1, 1), header(0)).offset).toBe(second);
    for (const failing of [
      () => writer.setLength(second + 1),
      () => writer.setLength(second + 1000),
      () => writer.replaceHeader(first + 1, header(1)),
      () => writer.replaceHeader(first, () => new Uint8Array(3)),
      () =>
        writer.replaceHeader(first, () => {
          throw new Error('not this one');
        }),
    ]) {
      expect(await rejection(failing())).toHaveProperty('message');
      writer.append(payload(2, 1), header(0));
    }
    expect(await rejection(writer.setLength(-1))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
    expect(await rejection(writer.replaceHeader(first, header(1).subarray(1)))).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
    });
  });

  test('may be overtaken by closeSync(): each is made, or was not begun', async () => {
    for (let i = 0; i < 20; ++i) {
      const writer = SegmentWriter.createSync(path(String(i)), { size: 1 << 16, headerSize: 4 });
      const [first, second] = append(writer, 2) as [number, number];
      const changes = [
        writer.replaceHeader(first, header(1)),
        writer.setLength(second),
        writer.replaceHeader(first, header(2)),
      ];
      const isClosed = i % 3 === 0 ? writer.close() : undefined;
      if (i % 2 === 0) await turn();
      writer.closeSync();
      const results = await Promise.allSettled(changes);
      await isClosed;
      const made = results.filter(({ status }) => status === 'fulfilled').length;
      for (const result of results.slice(made)) {
        expect(result).toMatchObject({ reason: { code: 'ERR_WRITER_CLOSED' } });
      }
      using reader = SegmentReader.open(path(String(i)), { headerSize: 4 });
      const headers = [...reader.records()].map((record) => record.header[0]);
      expect(headers).toEqual([[0, 0], [1, 0], [1], [2]][made]);
      expect(await rejection(writer.setLength(first))).toMatchObject({ code: 'ERR_WRITER_CLOSED' });
    }
  });

  test('what gives the header may close the writer', async () => {
    const writer = await create();
    const [offset] = append(writer, 1) as [number];
    const change = writer.replaceHeader(offset, () => {
      writer.closeSync();
      return header(1);
    });
    expect(await rejection(change)).toMatchObject({ code: 'ERR_WRITER_CLOSED' });
  });

  testWith('teardown before exit')('a worker may end while one is under way', async () => {
    for (let i = 0; i < 5; ++i) {
      const worker = new Worker(
        `const { SegmentWriter } = require(${library});
        const { workerData, parentPort } = require('node:worker_threads');
        const writer = SegmentWriter.createSync(workerData, { size: 1 << 16 });
        const { offset } = writer.append(Buffer.alloc(10));
        writer.append(Buffer.alloc(20));
        writer.syncSync();
        parentPort.postMessage('ready');
        (async () => {
          for (;;) {
            await writer.setLength(offset + 18);
            writer.append(Buffer.alloc(20));
            await writer.sync();
          }
        })();`,
        { eval: true, workerData: path(`worker-${i}`) },
      );
      await once(worker, 'message');
      await worker.terminate();
      SegmentWriter.openSync(path(`worker-${i}`)).closeSync();
    }
  });
});

/** Runs a program to its end; its exit status, and what it said. */
function run(code: string, ...before: string[]): { status: number | null; stdout: string; stderr: string } {
  const program = `const { SegmentWriter } = require(${library}); const file = ${JSON.stringify(file())}; ${code}`;
  const [command, ...rest] = [...before, process.execPath, '-e', program];
  return spawnSync(command!, rest, { encoding: 'utf8' });
}

describe('a forgotten await', () => {
  test('does not end the program before the disk has it', () => {
    const { status, stderr } = run(`
      const writer = SegmentWriter.createSync(file, { size: 4096 });
      const seen = writer.flushedOffset;
      writer.append(Buffer.from('a'));
      writer.sync();
      writer.append(Buffer.from('b'));
      writer.close();
      process.on('exit', () => process.exit(seen.value === 18 ? 0 : 9));
    `);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(parseFile(file()).records).toHaveLength(2);
  });

  test('is an unhandled rejection with a code when it fails', () => {
    const { status, stderr } = run('SegmentWriter.open(file);');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/no such file/);
  });
});

onLinux.each([false, true])(
  'a disk that is full: sync and close reject, and the file is free; hasty: %s',
  (isHasty) => {
    SegmentWriter.createSync(file(), { size: 1 << 20 }).closeSync();
    const shell = ['/bin/sh', '-c', `trap '' XFSZ; ulimit -f 8; exec "$@"`, 'sh'];
    const code = `
    const codes = [];
    const isHasty = ${isHasty};
    const note = (promise) => promise.catch((error) => codes.push(error.code));
    (async () => {
      const writer = SegmentWriter.openSync(file, { size: 1 << 20 });
      writer.append(Buffer.alloc(30000, 1));
      await note(writer.sync());
      await note(writer.sync());
      const closed = note(writer.close());
      if (isHasty) try { writer.closeSync() } catch (error) { codes.push(error.code) }
      await closed;
      // The first time only.
      writer.closeSync();
      console.log(codes.join());
    })();
  `;
    const { stdout, stderr } = run(code, ...shell);
    expect({ stdout, stderr }).toEqual({
      stdout: `ERR_NO_SPACE,ERR_POISONED,ERR_POISONED${isHasty ? ',ERR_POISONED' : ''}\n`,
      stderr: '',
    });
    // The first record is torn.
    SegmentWriter.openSync(file(), { discardUnreadable: true }).closeSync();
  },
);
