/** Copies of a log, made while it is written. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';

import { Wal, WalReader } from 'atomic-log';

import { rejection } from '../../../support/errors';
import { packageRoot } from '../../../support/internals';
import { runtime } from '../../../support/runtime';
import { temporaryDirectory } from '../../../support/segments';
import { entry, expectIntact, fill, SMALL_FILES, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const copies = () => directory.path('copies');
const target = () => directory.path('copies/one');

test('a backup is a log of its own, with what was durable', async () => {
  const wal = Wal.openSync(path(), { ...SMALL_FILES, metadata: Buffer.from('m') });
  fill(wal, 200);
  wal.checkpointSync(20);
  wal.write(entry(201));
  const backup = directory.path('copies/one');
  const done = wal.backup(backup);
  // It goes on being written.
  for (let lsn = 202; lsn <= 260; ++lsn) await wal.append(entry(lsn));
  await done;
  fill(wal, 300);
  expect(readdirSync(directory.path('copies'))).toEqual(['one']);
  withWal(backup, (copy) => {
    expect(copy.recovery.action).toBe('clean');
    expectIntact(copy, 21, 201);
    expect(Buffer.from(copy.metadata).toString()).toBe('m');
    fill(copy, 400);
    copy.checkpointSync(300);
  });
  expectIntact(wal, 21, 300);
  await expect(wal.backup(backup)).rejects.toMatchObject({ code: 'ERR_FILE_EXISTS' });
  await expect(wal.backup('')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  await wal.close();
  await expect(wal.backup(directory.path('two'))).rejects.toMatchObject({ code: 'ERR_LOG_CLOSED' });
  withWal(path(), (again) => expectIntact(again, 21, 300), { verifyOnOpen: true });
});

test('the first sync is not waited for by the thread that calls, and what comes after the call is not in the copy', async () => {
  const wal = Wal.openSync(path());
  // The committer may be done before this thread looks, but not each time.
  let hasReturnedBefore = false;
  for (let tries = 0; tries < 20 && !hasReturnedBefore; ++tries) {
    const lsn = wal.write(Buffer.alloc(100_000));
    const copy = directory.path(`copies/${tries}`);
    const done = wal.backup(copy);
    hasReturnedBefore = wal.durableLsn < lsn;
    const truncated = wal.truncateAfter(lsn - 1);
    wal.write(Buffer.alloc(1, 7));
    await Promise.all([done, truncated]);
    using reader = WalReader.open(copy);
    expect([reader.lastLsn, reader.get(lsn)!.data.length]).toEqual([lsn, 100_000]);
  }
  expect(hasReturnedBefore).toBe(true);
  await wal.close();
});

test('a copy that is called before close() is made', async () => {
  const wal = Wal.openSync(path(), SMALL_FILES);
  for (let lsn = 1; lsn <= 100; ++lsn) wal.write(entry(lsn));
  const done = wal.backup(target());
  await wal.close();
  await done;
  withWal(target(), (copy) => expectIntact(copy, 1, 100));
});

test('a reader sees all of a copy at once, and of one of one file too', async () => {
  for (const last of [5, 150]) {
    const wal = Wal.openSync(directory.path(`log${last}`), SMALL_FILES);
    for (let lsn = 1; lsn <= last; ++lsn) wal.write(entry(lsn));
    const copy = directory.path(`copy${last}`);
    await wal.backup(copy);
    const reader = WalReader.open(copy);
    expectIntact(reader, 1, last);
    reader.close();
    wal.closeSync();
  }
});

test('of two copies to one place one is refused, and the other is whole', async () => {
  const wal = Wal.openSync(path(), SMALL_FILES);
  fill(wal, 300);
  const both = await Promise.allSettled([wal.backup(target()), wal.backup(target())]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'ERR_FILE_EXISTS' },
  });
  expect(readdirSync(copies())).toEqual(['one']);
  withWal(target(), (copy) => expectIntact(copy, 1, 300), { verifyOnOpen: true });
  wal.closeSync();
});

test('what another process left there does not block the name, and what is not of a copy stays', async () => {
  const wal = Wal.openSync(path(), SMALL_FILES);
  fill(wal, 20);
  for (const left of ['one.partial', 'one.partial-1', 'one.partial-2']) {
    mkdirSync(directory.path(`copies/${left}`), { recursive: true });
    writeFileSync(directory.path(`copies/${left}/wal-000001.log`), 'left');
  }
  writeFileSync(directory.path('copies/one.partial-1.incomplete'), '');
  await wal.backup(target());
  expect(readdirSync(copies()).sort()).toEqual(['one', 'one.partial', 'one.partial-2']);
  wal.closeSync();
});

test('a path may end in a separator, and must not be in the way of a file of a log', async () => {
  const wal = Wal.openSync(path(), SMALL_FILES);
  fill(wal, 20);
  await wal.backup(`${target()}/`);
  expect(readdirSync(copies())).toEqual(['one']);
  withWal(target(), (copy) => expectIntact(copy, 1, 20));
  for (const name of ['LOCK', 'wal-000099.log', 'wal-000003.log.new', 'wal-000003.log/']) {
    const { code } = await rejection(wal.backup(`${path()}/${name}`));
    expect(code).toBe('ERR_INVALID_ARG_VALUE');
  }
  await wal.backup(`${path()}/copy`);
  wal.closeSync();
  withWal(path(), (again) => expectIntact(again, 1, 20));
});

test('errors say what went wrong, and leave nothing', async () => {
  const wal = Wal.openSync(path(), SMALL_FILES);
  fill(wal, 200);
  writeFileSync(directory.path('file'), '');
  expect((await rejection(wal.backup(directory.path('file')))).code).toBe('ERR_FILE_EXISTS');
  expect((await rejection(wal.backup(directory.path('file/copy')))).code).toBe('ERR_FILE_ACCESS');
  // It is closed before the first step: the copy goes on.
  const wal2 = Wal.openSync(directory.path('other'), SMALL_FILES);
  fill(wal2, 200);
  const done = wal2.backup(target());
  wal2.closeSync();
  await done;
  withWal(target(), (copy) => expectIntact(copy, 1, 200));
  // A file that somebody else has taken away was let go of by no checkpoint.
  const first = wal.files[0]!;
  renameSync(first.path, directory.path('away'));
  const error = await rejection(wal.backup(directory.path('copies/two')));
  expect(error).toMatchObject({ code: 'ERR_FILE_NOT_FOUND', path: first.path });
  expect(readdirSync(copies())).toEqual(['one']);
  wal.closeSync();
});

const mount = ['unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'];
const canMount =
  process.platform === 'linux' && runtime === 'node' && spawnSync(mount[0]!, mount.slice(1)).status === 0;

// Mounting needs root, and a place of its own for mounts, which unshare makes.
(canMount ? test : test.skip)(
  'a disk that fills up: no copy, and a typed error (needs root and unshare)',
  () => {
    const small = directory.path('small');
    mkdirSync(small);
    const program = `
    const { Wal } = require(${JSON.stringify(packageRoot)});
    (async () => {
      // The room is checked before anything is written, or by the write of the last file, or of another one.
      for (const segmentBytes of [1 << 20, 64 << 10]) {
        const wal = Wal.openSync(${JSON.stringify(path())} + segmentBytes, { segmentBytes });
        for (let lsn = 1; lsn <= 90; ++lsn) wal.write(Buffer.alloc(8000, lsn));
        const { code } = await wal.backup(${JSON.stringify(small)} + '/copy').catch((error) => error) ?? {};
        console.log(code, require('node:fs').readdirSync(${JSON.stringify(small)}).length);
        wal.closeSync();
      }
    })();`;
    const { stdout, stderr } = spawnSync(
      'unshare',
      [
        '--mount',
        'sh',
        '-c',
        'mount -t tmpfs -o size=512k none "$0" && exec "$@"',
        small,
        process.execPath,
        '-e',
        program,
      ],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('ERR_NO_SPACE 0\nERR_NO_SPACE 0\n');
  },
);
