/** From opening a log to closing it: who may, and what is found again. */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { salvage, Wal, WalReader } from 'atomic-log';

import { runInChild } from '../../../support/child';
import { expectError, rejection } from '../../../support/errors';
import { packageRoot } from '../../../support/internals';
import { testWith } from '../../../support/runtime';
import { temporaryDirectory } from '../../../support/segments';
import { parseWalFile } from '../../../support/wal-format';
import { dataOf, entry, expectIntact, fill, lsnsOf, range, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');

describe('opening', () => {
  test('creates the log, and the directories above it', () => {
    const deep = directory.path('a/b/c');
    withWal(deep, (wal) => {
      expect(wal.recovery).toEqual({
        action: 'created',
        records: 0,
        quarantinedBytes: 0,
        discardedBytes: 0,
        offset: 4096,
        lsn: 1,
        quarantinePath: undefined,
      });
      expect([wal.firstLsn, wal.lastLsn, wal.ackedLsn, wal.durableLsn]).toEqual([1, 0, 0, 0]);
      expect(wal.tailState).toBe('clean');
      expect(wal.path).toBe(deep);
      expect(lsnsOf(wal.entries())).toEqual([]);
    });
    expect(readdirSync(deep).sort()).toEqual(['LOCK', 'cursors', 'wal-000000.log.new', 'wal-000001.log']);
  });

  test('begins at another LSN, and keeps metadata', async () => {
    const metadata = Buffer.from('shard 7');
    const wal = await Wal.open(path(), { firstLsn: 1000, metadata });
    expect(await wal.append(entry(1))).toBe(1000);
    await wal.close();
    withWal(path(), (again) => {
      expect(Buffer.from(again.metadata)).toEqual(metadata);
      expect([again.firstLsn, again.lastLsn]).toEqual([1000, 1000]);
    });
  });

  test('goes on with files as long as the newest one, unless told otherwise', () => {
    const bytes = (wal: Wal) => wal.files.map((file) => file.bytes);
    withWal(path(), (wal) => fill(wal, 300));
    withWal(
      path(),
      (wal) => {
        const before = wal.files.length;
        expect(bytes(wal)).toEqual(Array(before).fill(8192));
        fill(wal, 600);
        expect(wal.files.length).toBeGreaterThan(before + 1);
        expect(bytes(wal)).toEqual(Array(wal.files.length).fill(8192));
        expectError(() => wal.write(Buffer.alloc(8192)), 'ERR_ENTRY_TOO_LARGE', /split it/);
      },
      {},
    );
    const larger = { segmentBytes: 16384 };
    withWal(path(), (wal) => fill(wal, 900), larger);
    withWal(path(), (wal) => expect(new Set(bytes(wal))).toEqual(new Set([8192, 16384])));
    withWal(path(), (wal) => (wal.truncateAfterSync(700), expect(bytes(wal).at(-1)).toBe(16384)), {});
    withWal(directory.path('new'), (wal) => expect(bytes(wal)).toEqual([64 << 20]), {});
  });

  test('finds every entry again, in order and unchanged', () => {
    withWal(path(), (wal) => fill(wal, 500));
    const newest = parseWalFile(readFileSync(join(path(), readdirSync(path()).sort().at(-1)!)));
    withWal(path(), (wal) => {
      expect(wal.recovery).toMatchObject({
        action: 'clean',
        quarantinedBytes: 0,
        lsn: 501,
        offset: newest.end,
      });
      expect(wal.files.length).toBeGreaterThan(4);
      expectIntact(wal, 1, 500);
      fill(wal, 700);
    });
    withWal(path(), (wal) => expectIntact(wal, 1, 700));
    withWal(path(), (wal) => expectIntact(wal, 1, 700), { verifyOnOpen: true });
  });

  test('refuses what is no log, and touches nothing', () => {
    withWal(path(), (wal) => fill(wal, 3));
    const file = directory.path('log/wal-000001.log');
    const bytes = readFileSync(file);
    bytes.write('SOMETHING');
    writeFileSync(file, bytes);
    expectError(() => Wal.openSync(path()), 'ERR_FORMAT', /not a file of a write-ahead log/);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  test.each([
    [[1], 'ERR_INVALID_ARG_TYPE', /directory must/],
    [[''], 'ERR_INVALID_ARG_VALUE', /directory must/],
    [['x', 7], 'ERR_INVALID_ARG_TYPE', /options/],
    [['x', { segmentBytes: 4096 }], 'ERR_OUT_OF_RANGE', /segmentBytes/],
    [['x', { segmentBytes: '1' }], 'ERR_INVALID_ARG_TYPE', /segmentBytes/],
    [['x', { durability: 'best' }], 'ERR_INVALID_ARG_VALUE', /durability.*'full', 'os', 'none'; got "best"/],
    [['x', { firstLsn: 0 }], 'ERR_OUT_OF_RANGE', /firstLsn/],
    [['x', { firstLsn: 2 ** 53 }], 'ERR_OUT_OF_RANGE', /firstLsn/],
    [['x', { metadata: 'text' }], 'ERR_INVALID_ARG_TYPE', /metadata/],
    [['x', { metadata: new Uint8Array(3989) }], 'ERR_OUT_OF_RANGE', /metadata/],
    [['x', { commit: { waitUs: -1 } }], 'ERR_OUT_OF_RANGE', /commit\.waitUs/],
    [['x', { commit: 5 }], 'ERR_INVALID_ARG_TYPE', /commit/],
    [['x', { entryBytesMax: 2 ** 25 }], 'ERR_OUT_OF_RANGE', /entryBytesMax/],
    [['x', { onSegmentSealed: 1 }], 'ERR_INVALID_ARG_TYPE', /onSegmentSealed/],
    [['x', { strictTail: 1 }], 'ERR_INVALID_ARG_TYPE', /strictTail/],
  ] as const)('refuses the arguments %j', (given, code, message) => {
    expectError(() => Reflect.apply(Wal.openSync, Wal, given), code, message);
  });

  test('tells of a path that is a file, or may not be written', async () => {
    const file = directory.path('file');
    writeFileSync(file, '');
    const isFile = /[\\/]file: this is not a directory; give the directory of a log$/;
    for (const wrong of [file, `${file}/below`, `${file}/below/again`]) {
      const error = await rejection(Wal.open(wrong));
      expect({ ...error, message: error.message }).toMatchObject({
        code: 'ERR_FILE_ACCESS',
        message: expect.stringMatching(isFile) as string,
        path: file,
      });
      expect(error.cause).toBeInstanceOf(Error);
      expectError(() => WalReader.open(wrong), 'ERR_FILE_ACCESS', isFile);
      expectError(() => [...salvage(wrong)], 'ERR_FILE_ACCESS', isFile);
    }
  });

  test('is not constructed', () => {
    expectError(() => Reflect.construct(Wal, []), 'ERR_ILLEGAL_CONSTRUCTOR', /Wal\.open/);
  });
});

describe('the lock', () => {
  test('refuses a second writer in this process, a worker, and another process', async () => {
    const wal = Wal.openSync(path());
    const error = expectError(
      () => Wal.openSync(path()),
      'ERR_LOCKED',
      new RegExp(`process ${process.pid} `),
    );
    expect(error).toMatchObject({ holder: process.pid });
    const source = `
      const { Wal } = require('atomic-log');
      try { Wal.openSync(${JSON.stringify(path())}); console.log('opened'); } catch (error) { console.log(error.code, error.holder); }
    `;
    expect(runInChild(source)).toBe(`ERR_LOCKED ${process.pid}`);
    const inWorker = `
      const { Wal } = require(${JSON.stringify(packageRoot)});
      const { parentPort } = require('node:worker_threads');
      try { Wal.openSync(${JSON.stringify(path())}); parentPort.postMessage('opened'); }
      catch (error) { parentPort.postMessage(error.code); }
    `;
    const answer = await new Promise((resolve) => {
      new Worker(inWorker, { eval: true }).once('message', resolve);
    });
    expect(answer).toBe('ERR_LOCKED');
    await wal.close();
    withWal(path(), (again) => expect(again.appendSync(entry(1))).toBe(1));
  });

  test('child processes of the holder are refused, and take the lock from nobody when they end', async () => {
    const wal = Wal.openSync(path());
    const script = directory.path('child.cjs');
    writeFileSync(
      script,
      `
      const { Wal, WalReader } = require(${JSON.stringify(packageRoot)});
      // Opening and closing LOCK itself, as a lock of fcntl would not survive in this process.
      require('node:fs').closeSync(require('node:fs').openSync(${JSON.stringify(path())} + '/LOCK'));
      WalReader.open(${JSON.stringify(path())}).close();
      let code = 'opened';
      try { Wal.openSync(${JSON.stringify(path())}); } catch (error) { code = error.code + ' ' + error.holder; }
      if (process.send) process.send(code, () => process.disconnect());
      else console.log(code);
    `,
    );
    const locked = `ERR_LOCKED ${process.pid}`;
    for (let round = 0; round < 3; ++round) {
      const forked = fork(script);
      const [answer] = (await once(forked, 'message')) as [string];
      expect(answer).toBe(locked);
      await once(forked, 'exit');
      const { stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
      expect(stdout.trim()).toBe(locked);
      expectError(() => Wal.openSync(path()), 'ERR_LOCKED', /close it there/);
      expect(wal.appendSync(entry(round + 1))).toBe(round + 1);
    }
    await wal.close();
    withWal(path(), (again) => expect(again.lastLsn).toBe(3));
  });

  test('the lock of a process that was killed is free at once', () => {
    const source = `
      const { Wal } = require('atomic-log');
      const wal = Wal.openSync(${JSON.stringify(path())});
      wal.appendSync(Buffer.from('kept'));
      process.kill(process.pid, 'SIGKILL');
    `;
    expect(() => runInChild(source)).toThrow();
    withWal(path(), (wal) => expect(dataOf(wal.entries()).map(String)).toEqual(['kept']));
  });

  test('a failed opening leaves no lock', async () => {
    withWal(path(), (wal) => fill(wal, 3));
    expect((await rejection(Wal.open(path(), { strictTail: 1 as never }))).code).toBe('ERR_INVALID_ARG_TYPE');
    writeFileSync(directory.path('log/wal-000003.log'), Buffer.alloc(8192, 1));
    expect((await rejection(Wal.open(path()))).code).toMatch(/ERR_(CORRUPT|FORMAT)/);
    rmSync(directory.path('log/wal-000003.log'));
    withWal(path(), (wal) => expect(wal.lastLsn).toBe(3));
  });
});

describe('closing', () => {
  test('settles appends in flight, and refuses what comes later', async () => {
    const wal = await Wal.open(path());
    const all = range(1, 50).map((lsn) => wal.append(entry(lsn)));
    const closing = wal.close();
    const late = rejection(wal.append(entry(51)));
    expect(await Promise.all(all)).toEqual(range(1, 50));
    await closing;
    expect((await late).code).toBe('ERR_LOG_CLOSED');
    expect(wal.close()).toBe(wal.close());
    for (const use of [
      () => wal.write(entry(1)),
      () => wal.entries(),
      () => wal.checkpointSync(1),
      () => wal.follow(),
    ]) {
      expectError(use, 'ERR_LOG_CLOSED', /open it again/);
    }
    expect((await rejection(wal.sync())).code).toBe('ERR_LOG_CLOSED');
    expect([wal.firstLsn, wal.lastLsn, wal.durableLsn]).toEqual([1, 50, 50]);
    withWal(path(), (again) => expectIntact(again, 1, 50));
  });

  // Where the system shows which files a process has open.
  (existsSync('/proc/self/fd') ? test : test.skip)('leaves no file open', async () => {
    const filesOpen = () =>
      readdirSync('/proc/self/fd').filter((descriptor) => {
        try {
          return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(path());
        } catch {
          return false; // that of the folder itself
        }
      }).length;
    const wal = await Wal.open(path(), { segmentBytes: 8192 });
    fill(wal, 300);
    expect(wal.files.length).toBeGreaterThan(2);
    const { value } = wal.entries({ from: 2 }).next() as { value: { lsn: number } };
    expect(value.lsn).toBe(2);
    const reader = WalReader.open(path());
    expect(lsnsOf(reader.entries()).slice(0, 3)).toEqual([1, 2, 3]);
    expect(filesOpen()).toBeGreaterThan(0);
    reader.close();
    await wal.close();
    expect(filesOpen()).toBe(0);
  });

  test('closeSync() settles them too', async () => {
    const wal = await Wal.open(path());
    const all = range(1, 50).map((lsn) => wal.append(entry(lsn)));
    const closing = wal.close();
    wal.closeSync();
    wal.closeSync();
    expect(await Promise.all(all)).toEqual(range(1, 50));
    await closing;
  });

  test('an open log does not keep the process alive, an append does until it is done', () => {
    const source = `
      const { Wal } = require('atomic-log');
      const wal = Wal.openSync(${JSON.stringify(path())});
      wal.append(Buffer.from('x')).then((lsn) => console.log(lsn));
    `;
    expect(runInChild(source)).toBe('1');
    withWal(path(), (wal) => expect(wal.lastLsn).toBe(1));
  });

  test('process.exit() with appends in flight: what was acknowledged is there', () => {
    const source = `
      const { Wal } = require('atomic-log');
      const wal = Wal.openSync(${JSON.stringify(path())}, { segmentBytes: 65536 });
      let last = 0;
      const more = () => wal.append(Buffer.alloc(500, 7)).then((lsn) => { last = lsn; more(); });
      for (let i = 0; i < 50; ++i) more();
      setInterval(() => {
        if (last === 0) return;
        console.log(last);
        process.exit(0);
      }, 150);
    `;
    const acknowledged = Number(runInChild(source));
    expect(acknowledged).toBeGreaterThan(0);
    withWal(path(), (wal) => {
      expect(wal.lastLsn).toBeGreaterThanOrEqual(acknowledged);
      expect(lsnsOf(wal.entries())).toEqual(range(1, wal.lastLsn));
    });
  });

  testWith('teardown before exit')(
    'a worker that is terminated while it commits gives the log back',
    async () => {
      const source = `
      const { Wal } = require(${JSON.stringify(packageRoot)});
      const { parentPort } = require('node:worker_threads');
      const wal = Wal.openSync(${JSON.stringify(path())}, { segmentBytes: 65536 });
      const more = () => wal.append(Buffer.alloc(500, 7)).then((lsn) => { parentPort.postMessage(lsn); more(); });
      for (let i = 0; i < 50; ++i) more();
    `;
      let acknowledged = 0;
      for (let round = 0; round < 8; ++round) {
        const worker = new Worker(source, { eval: true });
        await new Promise((resolve) => worker.once('message', resolve));
        worker.on('message', (lsn: number) => (acknowledged = Math.max(acknowledged, lsn)));
        await new Promise((resolve) => setTimeout(resolve, 10 * round));
        await worker.terminate();
        withWal(path(), (wal) => expect(wal.lastLsn).toBeGreaterThanOrEqual(acknowledged));
      }
      expect(acknowledged).toBeGreaterThan(0);
    },
  );
});
