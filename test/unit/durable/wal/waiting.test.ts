/** WalReader.open() with wait: true, for a log that is not there yet. */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { WalReader } from 'atomic-log';

import { runInChild } from '../../../support/child';
import { expectError, rejection } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';
import { expectIntact, fill, SMALL_FILES, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('a/b/log');
const makeLog = () => withWal(path(), (wal) => fill(wal, 50), SMALL_FILES);
/** Many times as long as one look takes. */
const looks = () => new Promise((resolve) => setTimeout(resolve, 50));

/** Says whether a promise is settled without waiting for it. */
function watched<T>(promise: Promise<T>): { readonly isSettled: boolean } {
  const state = { isSettled: false };
  const settle = (): boolean => (state.isSettled = true);
  promise.then(settle, settle);
  return state;
}

test('is there at once when the log is', async () => {
  makeLog();
  using reader = await WalReader.open(path(), { wait: true });
  expectIntact(reader, 1, 50);
});

test('resolves when a log appears, whatever is missing above it', async () => {
  const opening = WalReader.open(path(), { wait: true, pollMs: 1 });
  const state = watched(opening);
  await looks();
  mkdirSync(dirname(path()), { recursive: true });
  await looks();
  mkdirSync(path());
  await looks();
  // It may go again.
  rmdirSync(path());
  rmdirSync(dirname(path()));
  await looks();
  expect(state.isSettled).toBe(false);
  makeLog();
  using reader = await opening;
  expectIntact(reader, 1, 50);
  expect(reader.path).toBe(path());
});

test('waits for a log in a directory that is there, as open() without it does not', async () => {
  mkdirSync(path(), { recursive: true });
  WalReader.open(path()).close();
  const opening = WalReader.open(path(), { wait: true, pollMs: 1, tail: 'intact' });
  const state = watched(opening);
  await looks();
  expect(state.isSettled).toBe(false);
  makeLog();
  using reader = await opening;
  expectIntact(reader, 1, 50);
});

test('looks every pollMs, and no more often', async () => {
  const controller = new AbortController();
  const opening = WalReader.open(path(), { wait: true, pollMs: 3_600_000, signal: controller.signal });
  const state = watched(opening);
  makeLog();
  await looks();
  expect(state.isSettled).toBe(false);
  controller.abort(new Error('long enough'));
  expect((await rejection(opening)).message).toBe('long enough');
});

test('an abort ends it, before and while it waits, for any number of waits', async () => {
  const warnings: unknown[] = [];
  const warn = (warning: unknown): unknown => warnings.push(warning);
  process.on('warning', warn);
  const controller = new AbortController();
  const options = { wait: true, signal: controller.signal } as const;
  const openings = Array.from({ length: 20 }, () => rejection(WalReader.open(path(), options)));
  await looks();
  controller.abort(new Error('enough'));
  openings.push(rejection(WalReader.open(path(), options)));
  expect((await Promise.all(openings)).map(({ message }) => message)).toEqual(Array(21).fill('enough'));
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});

test('rejects with any other error', async () => {
  const file = directory.path('file');
  writeFileSync(file, '');
  expect((await rejection(WalReader.open(`${file}/log`, { wait: true }))).code).toBe('ERR_FILE_ACCESS');
  mkdirSync(path(), { recursive: true });
  writeFileSync(`${path()}/wal-000001.log`, Buffer.alloc(8192, 1));
  expect((await rejection(WalReader.open(path(), { wait: true }))).code).toMatch(/^ERR_(CORRUPT|FORMAT)$/);
});

test('refuses arguments: as a rejection when it waits', async () => {
  const wrong: [unknown[], string][] = [
    [[7, { wait: true }], 'ERR_INVALID_ARG_TYPE'],
    [['x', { wait: true, signal: {} }], 'ERR_INVALID_ARG_TYPE'],
    [['x', { wait: true, pollMs: 0 }], 'ERR_OUT_OF_RANGE'],
    [['x', { wait: true, singal: undefined }], 'ERR_INVALID_ARG_VALUE'],
  ];
  for (const [given, code] of wrong) {
    expect((await rejection(Reflect.apply(WalReader.open, WalReader, given) as Promise<unknown>)).code).toBe(
      code,
    );
  }
  expectError(() => WalReader.open(path(), { wait: 1 as never }), 'ERR_INVALID_ARG_TYPE', /options\.wait/);
  expectError(
    () => WalReader.open(path(), { signal: new AbortController().signal } as never),
    'ERR_INVALID_ARG_VALUE',
    /signal/,
  );
  expectError(() => WalReader.open(path(), { wait: false }), 'ERR_FILE_NOT_FOUND', /check the path/);
});

test('keeps the process alive until the log is there', () => {
  const source = `
    const { Wal, WalReader } = require('atomic-log');
    const path = ${JSON.stringify(path())};
    WalReader.open(path, { wait: true, pollMs: 5 }).then((reader) => {
      console.log(reader.path === path, reader.get(1)?.data.toString());
    });
    setTimeout(() => { using(Wal.openSync(path)); }, 50).unref();
    function using(wal) { wal.appendSync(Buffer.from('first')); wal.closeSync(); }
  `;
  expect(runInChild(source)).toMatch(/^true (first|undefined)$/);
});
