/** checkpoint() and truncateAfter() off the main thread: hooks, errors, and what ends meanwhile. */
import { existsSync, readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { Wal, type WalFile } from 'atomic-log';

import { runInChild } from '../../../support/child';
import { rejection } from '../../../support/errors';
import { packageRoot } from '../../../support/internals';
import { testWith } from '../../../support/runtime';
import { temporaryDirectory } from '../../../support/segments';
import { entry, expectIntact, fill, lsnsOf, range, SMALL_FILES, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const filesThere = () => readdirSync(path()).filter((name) => name.endsWith('.log'));

test('an awaited checkpoint has deleted the files', async () => {
  await using wal = await Wal.open(path(), SMALL_FILES);
  fill(wal, 300);
  const { files } = wal;
  expect(lsnsOf(wal.entries())).toEqual(range(1, 300));
  await wal.checkpoint(200);
  expect(wal.firstLsn).toBe(201);
  expect(filesThere()).toHaveLength(wal.files.length);
  expect(files.filter(({ lastLsn }) => lastLsn <= 200).some((file) => existsSync(file.path))).toBe(false);
  await wal.checkpoint(100);
  expect(wal.firstLsn).toBe(201);
  expectIntact(wal, 201, 300);
});

test('refusals reject', async () => {
  await using wal = await Wal.open(path(), SMALL_FILES);
  fill(wal, 30);
  await wal.checkpoint(10);
  const calls: [() => Promise<void>, string, RegExp][] = [
    [() => wal.checkpoint(31), 'ERR_OUT_OF_RANGE', /31.*30/],
    [() => wal.checkpoint(-1), 'ERR_OUT_OF_RANGE', /lsn/],
    [() => wal.checkpoint('1' as never), 'ERR_INVALID_ARG_TYPE', /lsn/],
    [() => wal.truncateAfter(31), 'ERR_OUT_OF_RANGE', /31.*30/],
    [() => wal.truncateAfter(8), 'ERR_OUT_OF_RANGE', /8/],
    [() => wal.truncateAfter(1.5), 'ERR_OUT_OF_RANGE', /lsn/],
  ];
  for (const [call, code, message] of calls) {
    const error = await rejection(call());
    expect({ code: error.code, message: error.message }).toEqual({
      code,
      message: expect.stringMatching(message) as string,
    });
  }
  expectIntact(wal, 11, 30);
});

describe('hooks of checkpoint()', () => {
  test('are told of each file once, while it is there, also by checkpoints in flight together', async () => {
    const told: number[] = [];
    const isThere: boolean[] = [];
    const beforeDelete = (file: WalFile): void => {
      told.push(file.number);
      isThere.push(existsSync(file.path));
    };
    const wal = await Wal.open(path(), { ...SMALL_FILES, beforeDelete });
    fill(wal, 500);
    const before = wal.files.map(({ number }) => number);
    const first = wal.checkpoint(200);
    const second = wal.checkpoint(400);
    const third = wal.checkpoint(300);
    await Promise.all([first, second, third]);
    const kept = wal.files.map(({ number }) => number);
    expect(told).toEqual(before.filter((number) => number < kept[0]!));
    expect(told.length).toBeGreaterThan(3);
    expect(isThere).toEqual(told.map(() => true));
    expect(wal.firstLsn).toBe(401);
    // One that comes first nevertheless, because it waits for nothing.
    const last = wal.checkpoint(450);
    wal.checkpointSync(500);
    await last;
    expect(told).toEqual([...new Set(told)]);
    expect(isThere).toEqual(told.map(() => true));
    await wal.close();
  });

  test('that throw keep everything', async () => {
    let throws = true;
    const beforeDelete = (): void => {
      if (throws) throw new Error('not archived');
    };
    const wal = await Wal.open(path(), { ...SMALL_FILES, beforeDelete });
    fill(wal, 300);
    expect((await rejection(wal.checkpoint(150))).message).toBe('not archived');
    expectIntact(wal, 1, 300);
    throws = false;
    await wal.checkpoint(150);
    expectIntact(wal, 151, 300);
    await wal.close();
  });

  test('run although the log is being closed, and close() waits for them', async () => {
    const told: number[] = [];
    const wal = await Wal.open(path(), { ...SMALL_FILES, beforeDelete: ({ number }) => told.push(number) });
    fill(wal, 300);
    const done = wal.checkpoint(200);
    await Promise.all([wal.close(), done]);
    expect(told.length).toBeGreaterThan(1);
    withWal(path(), (again) => expectIntact(again, 201, 300));
  });

  test('may work on the log, or close it', async () => {
    let calls = 0;
    const wal: Wal = await Wal.open(path(), {
      ...SMALL_FILES,
      beforeDelete: () => {
        if (++calls === 1) void wal.checkpoint(250);
        if (calls === 1) wal.appendSync(entry(301));
        if (calls === 5) wal.closeSync();
      },
    });
    fill(wal, 300);
    await wal.checkpoint(100);
    expect(wal.firstLsn).toBe(101);
    expect((await rejection(wal.checkpoint(300))).code).toBe('ERR_LOG_CLOSED');
    withWal(path(), (again) => expectIntact(again, 101, 301));
  });

  test('a log that is closed before their turn rejects', async () => {
    const told: number[] = [];
    const wal = await Wal.open(path(), { ...SMALL_FILES, beforeDelete: ({ number }) => told.push(number) });
    fill(wal, 300);
    const done = rejection(wal.checkpoint(200));
    wal.closeSync();
    expect((await done).code).toBe('ERR_LOG_CLOSED');
    expect(told).toEqual([]);
    withWal(path(), (again) => expectIntact(again, 1, 300));
  });
});

test('they keep the process alive until they are done', () => {
  const source = `
    const { Wal } = require('atomic-log');
    const wal = Wal.openSync(${JSON.stringify(path())}, { segmentBytes: 8192, beforeDelete() {} });
    for (let lsn = 1; lsn <= 300; ++lsn) wal.write(Buffer.alloc(60));
    wal.checkpoint(200).then(() => wal.truncateAfter(250)).then(() => console.log(wal.firstLsn, wal.lastLsn));
  `;
  expect(runInChild(source)).toBe('201 250');
});

const busyWriter = `
  const rounds = { checkpoints: 0 };
  const more = () => wal.append(Buffer.alloc(500, 7)).then(more, () => {});
  for (let i = 0; i < 20; ++i) more();
  const trim = () =>
    wal.checkpoint(Math.max(wal.ackedLsn - 50, 0))
      .then(() => wal.truncateAfter(Math.max(wal.ackedLsn - 1, wal.firstLsn)))
      .then(() => { ++rounds.checkpoints; told(rounds.checkpoints); })
      .then(trim, () => {});
  trim();
`;

test('process.exit() while they are pending leaves a log that opens', () => {
  for (const hook of ['', ', beforeDelete() {}']) {
    const source = `
      const { Wal } = require('atomic-log');
      const wal = Wal.openSync(${JSON.stringify(path())}, { segmentBytes: 65536 ${hook} });
      const told = (count) => { if (count === 5) setImmediate(() => process.exit(0)); };
      ${busyWriter}
    `;
    runInChild(source);
    withWal(path(), (wal) => expect(lsnsOf(wal.entries())).toEqual(range(wal.firstLsn, wal.lastLsn)), {
      verifyOnOpen: true,
    });
  }
});

testWith('teardown before exit')('so does a worker that is terminated', async () => {
  const source = `
    const { Wal } = require(${JSON.stringify(packageRoot)});
    const { parentPort } = require('node:worker_threads');
    const wal = Wal.openSync(${JSON.stringify(path())}, { segmentBytes: 65536, beforeDelete() {} });
    const told = (count) => parentPort.postMessage(count);
    ${busyWriter}
  `;
  for (let round = 0; round < 6; ++round) {
    const worker = new Worker(source, { eval: true });
    await new Promise((resolve) => worker.once('message', resolve));
    await new Promise((resolve) => setTimeout(resolve, 5 * round));
    await worker.terminate();
    withWal(path(), (wal) => expect(lsnsOf(wal.entries())).toEqual(range(wal.firstLsn, wal.lastLsn)), {
      verifyOnOpen: true,
    });
  }
});
