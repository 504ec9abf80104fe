/** Wal.open() with wait: true, for a log that the process before this one still has open. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';

import { AtomicLog, Wal } from 'atomic-log';

import { expectError, rejection } from '../../../support/errors';
import { packageRoot } from '../../../support/internals';
import { temporaryDirectory } from '../../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
/** Several times as long as one look takes. */
const looks = () => new Promise((resolve) => setTimeout(resolve, 100));

test('opens at once what no one has, and makes what is not there', async () => {
  await using wal = await Wal.open(path(), { wait: true });
  expect(wal.lastLsn).toBe(0);
});

test('resolves once the writer before has closed, with what it has appended', async () => {
  const before = await Wal.open(path());
  let isOpen = false;
  const opening = Wal.open(path(), { wait: true, segmentBytes: 16_384 }).finally(() => (isOpen = true));
  await before.append(Buffer.from('one'));
  await looks();
  expect(isOpen).toBe(false);
  await before.append(Buffer.from('two'));
  await before.close();
  await using wal = await opening;
  expect(wal.lastLsn).toBe(2);
  expect(await wal.append(Buffer.from('three'))).toBe(3);
});

test('of several that wait each gets its turn', async () => {
  const before = await Wal.open(path());
  const waiting = [1, 2, 3].map(async () => {
    await using wal = await Wal.open(path(), { wait: true });
    return wal.append(Buffer.from('mine'));
  });
  await before.close();
  expect((await Promise.all(waiting)).sort()).toEqual([1, 2, 3]);
});

test('resolves once the process of the writer before was killed', async () => {
  const source = `
    const { Wal } = require(${JSON.stringify(packageRoot)});
    Wal.openSync(${JSON.stringify(path())}).appendSync(Buffer.from('acknowledged'));
    setInterval(() => {}, 1000);
    console.log('open');
  `;
  const child = spawn(process.execPath, ['--eval', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const opening = Wal.open(path(), { wait: true });
  await looks();
  child.kill('SIGKILL');
  await using wal = await opening;
  expect(wal.lastLsn).toBe(1);
});

test('the signal ends the wait, and leaves the writer alone', async () => {
  await expect(Wal.open(path(), { wait: true, signal: AbortSignal.abort('early') })).rejects.toBe('early');
  expect(existsSync(path())).toBe(false);
  await using before = await Wal.open(path());
  const controller = new AbortController();
  const opening = Wal.open(path(), { wait: true, signal: controller.signal });
  const reason = new Error('long enough');
  setTimeout(() => controller.abort(reason), 60);
  await expect(opening).rejects.toBe(reason);
  expect(await before.append(Buffer.from('still mine'))).toBe(1);
});

test('other errors are not waited for', async () => {
  writeFileSync(path(), 'a file');
  expect((await rejection(Wal.open(path(), { wait: true }))).code).toBe('ERR_FILE_ACCESS');
});

test('what it does not fit is refused', async () => {
  const noWait = /^options\.wait is for Wal\.open\(\), which returns a promise; openSync\(\) does not wait$/;
  expectError(() => Wal.openSync(path(), { wait: true } as never), 'ERR_INVALID_ARG_VALUE', noWait);
  const { signal } = new AbortController();
  const alone = /^options\.signal is for wait: true/;
  expectError(() => Wal.openSync(path(), { signal } as never), 'ERR_INVALID_ARG_VALUE', alone);
  expect((await rejection(Wal.open(path(), { signal }))).message).toMatch(alone);
  expect((await rejection(Wal.open(path(), { wait: 1 as never }))).code).toBe('ERR_INVALID_ARG_TYPE');
  expect((await rejection(Wal.open(path(), { wait: true, signal: 1 as never }))).code).toBe(
    'ERR_INVALID_ARG_TYPE',
  );
  expect(existsSync(path())).toBe(false);
});

test('a journaled log waits, too', async () => {
  const sizes = { retainedCapacity: 100, segmentCapacity: 10 };
  const before = await AtomicLog.open({ wal: path(), ...sizes });
  const opening = AtomicLog.open({ wal: { path: path(), wait: true }, ...sizes });
  before.append(1.5);
  await looks();
  await before.close();
  const log = await opening;
  expect(log.latest()).toBe(1.5);
  await log.close();
  const noWait =
    /^options\.wal\.wait is for AtomicLog\.open\(\), which returns a promise; openSync\(\) does not wait$/;
  expectError(
    () => AtomicLog.openSync({ wal: { path: path(), wait: true } as never, ...sizes }),
    'ERR_INVALID_ARG_VALUE',
    noWait,
  );
});
