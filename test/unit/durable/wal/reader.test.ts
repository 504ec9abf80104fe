import { execFile } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { Wal, WalReader, type AtomicLogError, type WalEntry } from 'atomic-log';

import { expectError } from '../../../support/errors';
import { packageRoot } from '../../../support/internals';
import { temporaryDirectory } from '../../../support/segments';
import {
  dataOf,
  entry,
  expectIntact,
  fill,
  lsnsOf,
  range,
  SMALL_FILES,
  withWal,
} from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Follows until `count` entries have come; each must follow the one before. */
async function collect(batches: AsyncIterable<WalEntry[]>, count: number): Promise<number[]> {
  const lsns: number[] = [];
  for await (const batch of batches) {
    expect(batch.length).toBeGreaterThan(0);
    for (const { lsn, data } of batch) {
      expect(entry(lsn).equals(data)).toBe(true);
      lsns.push(lsn);
    }
    if (lsns.length >= count) break;
  }
  return lsns;
}

async function errorOf(promise: Promise<unknown>): Promise<AtomicLogError> {
  return promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: unknown) => error as AtomicLogError,
  );
}

describe('a reader', () => {
  test('sees a closed log in full, in both directions', () => {
    withWal(
      path(),
      (wal) => {
        fill(wal, 300);
        wal.checkpointSync(50);
      },
      { ...SMALL_FILES, metadata: Buffer.from('mine') },
    );
    using reader = WalReader.open(path());
    expect([reader.firstLsn, reader.lastLsn]).toEqual([51, 300]);
    expectIntact(reader, 51, 300);
    expect(lsnsOf(reader.entries({ reverse: true, from: 90, to: 120 }))).toEqual(range(90, 120).reverse());
    expect(Buffer.from(reader.get(200)!.data)).toEqual(entry(200));
    expect(reader.get(301)).toBeUndefined();
    expect(Buffer.from(reader.metadata).toString()).toBe('mine');
    expect(reader.path).toBe(path());
  });

  test('sees nothing that is not proved to be on disk, and what is after a refresh', async () => {
    const wal = await Wal.open(path());
    using reader = WalReader.open(path());
    expect(reader.lastLsn).toBe(0);
    wal.write(entry(1));
    await wal.append(entry(2), { durability: 'os' });
    await pause(60);
    reader.refresh();
    expect(reader.lastLsn).toBe(0);
    await wal.sync();
    for (let tries = 0; reader.lastLsn < 2 && tries < 200; ++tries) {
      await pause(10);
      reader.refresh();
    }
    expectIntact(reader, 1, 2);
    await wal.close();
  });

  test('works while the writer has the lock, and takes none', () => {
    withWal(path(), (wal) => {
      fill(wal, 10);
      const readers = range(1, 5).map(() => WalReader.open(path()));
      wal.appendSync(entry(11));
      for (const reader of readers) reader.close();
    });
    WalReader.open(path());
    withWal(path(), (wal) => expect(wal.lastLsn).toBe(11));
  });

  test('is told when a checkpoint let go of what it wants', () => {
    const wal = Wal.openSync(path(), SMALL_FILES);
    fill(wal, 300);
    const reader = WalReader.open(path());
    wal.checkpointSync(280);
    wal.closeSync();
    const error = expectError(
      () => [...reader.entries({ from: 1 })],
      'ERR_CHECKPOINTED',
      /begins with entry 281/,
    );
    expect(error).toMatchObject({ firstLsn: 281 });
    for (const lsn of [1, 280])
      expectError(() => reader.get(lsn), 'ERR_CHECKPOINTED', /begins with entry 281/);
    expect(reader.get(281)!.lsn).toBe(281);
    expect(reader.get(301)).toBeUndefined();
    expectError(() => reader.get(0), 'ERR_OUT_OF_RANGE', /lsn/);
    expectIntact(reader, 281, 300);
    reader.close();
  });

  test('a missing or damaged file is an error, never the end', () => {
    withWal(path(), (wal) => fill(wal, 300));
    const second = directory.path('log/wal-000002.log');
    const bytes = readFileSync(second);
    const reader = WalReader.open(path());
    const bad = Buffer.from(bytes);
    bad[6000]! ^= 4;
    writeFileSync(second, bad);
    expectError(() => dataOf(reader.entries()), 'ERR_CORRUPT', /wal-000002\.log.*damaged/);
    reader.close();
    rmSync(second);
    expectError(() => WalReader.open(path()), 'ERR_CORRUPT', /do not follow one another/);
    writeFileSync(second, bytes);
    WalReader.open(path()).close();
  });

  test('refuses wrong arguments, and use after close()', () => {
    expectError(() => WalReader.open(directory.path('none')), 'ERR_FILE_NOT_FOUND', /no such directory/);
    expectError(() => WalReader.open(7 as never), 'ERR_INVALID_ARG_TYPE', /directory must/);
    expectError(() => WalReader.open(path(), { pollMs: 0 }), 'ERR_OUT_OF_RANGE', /pollMs/);
    expectError(() => Reflect.construct(WalReader, []), 'ERR_ILLEGAL_CONSTRUCTOR', /WalReader\.open/);
    withWal(path(), (wal) => fill(wal, 3));
    const reader = WalReader.open(path());
    expectError(() => reader.follow({ from: 0 }), 'ERR_OUT_OF_RANGE', /options\.from/);
    expectError(() => reader.follow({ signal: 7 as never }), 'ERR_INVALID_ARG_TYPE', /signal/);
    const entries = reader.entries();
    entries.next();
    reader.close();
    reader.close();
    for (const use of [
      () => reader.get(1),
      () => reader.entries(),
      () => reader.refresh(),
      () => reader.metadata,
    ]) {
      expectError(use, 'ERR_READER_CLOSED', /open another one/);
    }
  });
});

describe('a directory that is replaced', () => {
  /** What a restored backup is, for those who look at the directory. */
  async function replace(how: string): Promise<void> {
    const backup = directory.path('backup');
    const wal = await Wal.open(path(), SMALL_FILES);
    fill(wal, 100);
    await wal.backup(backup);
    fill(wal, 200);
    await wal.close();
    const reader = WalReader.open(path(), { pollMs: 2 });
    const followed = errorOf(collect(reader.follow(), Infinity));
    await pause(20);
    renameSync(path(), directory.path('old'));
    if (how === 'restored') renameSync(backup, path());
    if (how === 'made anew') withWal(path(), (other) => fill(other, 300));
    expect(await followed).toMatchObject({
      code: 'ERR_DIRECTORY_REPLACED',
      message: expect.stringMatching(/open it again/) as string,
      path: path(),
    });
    for (const use of [() => reader.refresh(), () => dataOf(reader.entries({ from: 5 }))]) {
      expectError(use, 'ERR_DIRECTORY_REPLACED', /restored backup/);
    }
    reader.close();
  }

  test.each(['restored', 'made anew', 'moved away'])('is told to a follower that waits: %s', replace);

  test.each(['restored', 'made anew', 'moved away'])(
    'is told by the log that is open there: %s',
    async (how) => {
      const backup = directory.path('backup');
      using wal = Wal.openSync(path(), SMALL_FILES);
      fill(wal, 100);
      await wal.backup(backup);
      fill(wal, 200);
      renameSync(path(), directory.path('old'));
      if (how === 'restored') renameSync(backup, path());
      if (how === 'made anew') withWal(path(), (other) => fill(other, 300));
      for (const use of [
        () => wal.get(5),
        () => dataOf(wal.entries({ from: 5 })),
        () => dataOf(wal.entries({ from: 5, to: 9, reverse: true })),
      ]) {
        expectError(use, 'ERR_DIRECTORY_REPLACED', /restored backup.*open it again/);
      }
    },
  );

  test('a file that is missing beside the writer is no checkpoint', () => {
    using wal = Wal.openSync(path(), SMALL_FILES);
    fill(wal, 300);
    rmSync(directory.path('log/wal-000002.log'));
    expectError(() => dataOf(wal.entries()), 'ERR_CORRUPT', /wal-000002\.log.*one is missing/);
  });

  test('a file that is missing is no checkpoint', () => {
    withWal(path(), (wal) => fill(wal, 300));
    using reader = WalReader.open(path());
    rmSync(directory.path('log/wal-000002.log'));
    expectError(() => dataOf(reader.entries()), 'ERR_CORRUPT', /wal-000002\.log.*one is missing/);
  });
});

describe('following', () => {
  test('history first, then live, without gap or repetition', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    fill(wal, 150);
    const collected = collect(wal.follow(), 400);
    for (let lsn = 151; lsn <= 400; ++lsn) {
      if (lsn % 3 === 0) await wal.append(entry(lsn));
      else void wal.append(entry(lsn));
      if (lsn % 40 === 0) await pause(1);
    }
    expect(await collected).toEqual(range(1, 400));
    expect(await collect(wal.follow({ from: 390 }), 11)).toEqual(range(390, 400));
    await wal.close();
  });

  test('begins at the latest, or in the future, and only sees what is durable', async () => {
    const wal = await Wal.open(path());
    fill(wal, 3);
    const latest = collect(wal.follow({ from: 'latest' }), 2);
    const future = collect(wal.follow({ from: 6 }), 1);
    wal.write(entry(4));
    const seen: number[] = [];
    void latest.then((lsns) => seen.push(...lsns));
    await pause(30);
    expect(seen).toEqual([]);
    for (let lsn = 5; lsn <= 6; ++lsn) await wal.append(entry(lsn));
    expect((await latest).slice(0, 2)).toEqual([4, 5]);
    expect(await future).toEqual([6]);
    await wal.close();
  });

  test('ends with the log, by break, and by its signal', async () => {
    const wal = await Wal.open(path());
    fill(wal, 3);
    const ended = collect(wal.follow(), Infinity);
    const controller = new AbortController();
    const aborted = errorOf(collect(wal.follow({ signal: controller.signal }), Infinity));
    const already = errorOf(collect(wal.follow({ signal: AbortSignal.abort(new Error('before')) }), 1));
    const follower = wal.follow({ from: 'latest' });
    const pending = follower.next();
    expect(await follower.return!()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    const disposed = wal.follow();
    await disposed[Symbol.asyncDispose]();
    expect(await disposed.next()).toEqual({ done: true, value: undefined });
    await pause(5);
    controller.abort(new Error('enough'));
    expect((await aborted).message).toBe('enough');
    expect((await already).message).toBe('before');
    await wal.close();
    expect(await ended).toEqual([1, 2, 3]);
    expectError(() => wal.follow(), 'ERR_LOG_CLOSED', /./);
  });

  test('tells when a checkpoint let go of what comes next', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    fill(wal, 200);
    const follower = wal.follow({ from: 10 });
    wal.checkpointSync(100);
    expect(await errorOf(follower.next())).toMatchObject({ code: 'ERR_CHECKPOINTED', firstLsn: 101 });
    expect(await follower.next()).toEqual({ done: true, value: undefined });
    await wal.close();
  });

  test('tells when what was delivered is taken back, and only then', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    fill(wal, 20);
    const follower = wal.follow();
    const ahead = wal.follow({ from: 18 });
    const fresh = wal.follow({ from: 16 });
    expect((await follower.next()).value).toHaveLength(20);
    wal.truncateAfterSync(15);
    fill(wal, 18);
    expect(await errorOf(follower.next())).toMatchObject({
      code: 'ERR_TRUNCATED',
      lsn: 16,
      message: expect.stringMatching(/from 16/) as string,
    });
    // It had delivered nothing, but all before counts as delivered.
    expect(await errorOf(ahead.next())).toMatchObject({ code: 'ERR_TRUNCATED', lsn: 16 });
    expect(((await fresh.next()).value as WalEntry[]).map(({ lsn }) => lsn)).toEqual([16, 17, 18]);
    await wal.close();
  });

  test('from another thread and another process, through files and checkpoints', async () => {
    const source = (how: string) => `
      const { WalReader } = require(${JSON.stringify(packageRoot)});
      const reader = WalReader.open(${JSON.stringify(path())}, { pollMs: 2 });
      const report = ${how};
      (async () => {
        let next = 1;
        for await (const entries of reader.follow()) {
          for (const { lsn } of entries) { if (lsn !== next++) throw new Error('a gap before ' + lsn); }
          if (next > 1500) break;
        }
        report(next);
      })();
    `;
    const wal = await Wal.open(path(), SMALL_FILES);
    await wal.append(entry(1));
    const worker = new Worker(
      source("(last) => require('node:worker_threads').parentPort.postMessage(last)"),
      {
        eval: true,
      },
    );
    const inWorker = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    const inProcess = new Promise((resolve, reject) => {
      execFile(process.execPath, ['--eval', source('(last) => console.log(last)')], (error, output) => {
        if (error) reject(error as Error);
        else resolve(Number(output));
      });
    });
    for (let lsn = 2; lsn <= 1500; ++lsn) {
      const done = wal.append(entry(lsn));
      if (lsn % 7 === 0) await done;
    }
    await wal.sync();
    expect(await Promise.all([inWorker, inProcess])).toEqual([1501, 1501]);
    await wal.close();
  });
});
