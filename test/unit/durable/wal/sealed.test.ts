/** Files that are complete: who is told, what retention deletes, and what hooks may do. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync } from 'node:fs';

import { AtomicLog, Wal, WalReader, type WalFile, type WalOptions } from 'atomic-log';

import { thrownBy } from '../../../support/errors';
import { runInChild } from '../../../support/child';
import { requireInternal } from '../../../support/internals';
import { temporaryDirectory } from '../../../support/segments';
import { entry, expectIntact, fill, range, SMALL_FILES, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** The committer drops files while the event loop turns. */
async function comesTrue(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

describe('onSegmentSealed', () => {
  test('is told of each file once, oldest first, before retention deletes it', async () => {
    const sealed: WalFile[] = [];
    const deleted: number[] = [];
    const wal = Wal.openSync(path(), {
      ...SMALL_FILES,
      retainBytes: 3 * 8192,
      onSegmentSealed: (file) => sealed.push(file),
      beforeDelete: ({ number }) => {
        expect(sealed.map((file) => file.number)).toContain(number);
        deleted.push(number);
      },
    });
    // In one turn, in many, and by the committer.
    for (let lsn = 1; lsn <= 500; ++lsn) wal.appendSync(entry(lsn), { durability: 'os' });
    for (let lsn = 501; lsn <= 800; ++lsn) await wal.append(entry(lsn), { durability: 'os' });
    await Promise.all(range(801, 1200).map((lsn) => wal.append(entry(lsn))));
    const newest = wal.files.at(-1)!.number;
    await wal.close();
    expect(sealed.map(({ number }) => number)).toEqual(range(1, newest - 1));
    expect(sealed.map(({ firstLsn }) => firstLsn)).toEqual([
      1,
      ...sealed.slice(0, -1).map(({ lastLsn }) => lastLsn + 1),
    ]);
    expect(deleted).toEqual(range(1, deleted.length));
    expect(deleted.length).toBeGreaterThan(10);
  });

  test('is told of what is completed by close(), and by closeSync()', async () => {
    for (const isSync of [false, true]) {
      const sealed: number[] = [];
      const wal = Wal.openSync(directory.path(`log${isSync}`), {
        ...SMALL_FILES,
        onSegmentSealed: ({ number }) => sealed.push(number),
      });
      const appended = range(1, 200).map((lsn) => wal.append(entry(lsn)).catch(() => undefined));
      if (isSync) wal.closeSync();
      else await wal.close();
      await Promise.all(appended);
      const again = Wal.openSync(wal.path);
      expect(sealed).toEqual(range(1, again.files.length - 1));
      again.closeSync();
    }
  });

  test('is told by the next process of what a killed one did not tell', async () => {
    runInChild(`
      const wal = require('atomic-log').Wal.openSync(${JSON.stringify(path())}, { segmentBytes: 8192, onSegmentSealed: () => {} });
      for (let i = 0; i < 100; ++i) wal.write(Buffer.alloc(1000));
      wal.syncSync();
      console.log(wal.files.length);
      process.reallyExit(0);`);
    const sealed: number[] = [];
    const wal = Wal.openSync(path(), {
      ...SMALL_FILES,
      onSegmentSealed: ({ number }) => sealed.push(number),
    });
    expect(sealed).toEqual([]);
    await turn();
    const { files } = wal;
    expect(files.length).toBeGreaterThan(10);
    expect(sealed).toEqual(files.slice(0, -1).map(({ number }) => number));
    await wal.close();
    expect(sealed).toHaveLength(files.length - 1);
  });

  test('is told before a checkpoint deletes, and may checkpoint itself', async () => {
    const sealed: number[] = [];
    const wal = Wal.openSync(path(), {
      ...SMALL_FILES,
      onSegmentSealed: ({ number }) => sealed.push(number),
    });
    for (let lsn = 1; lsn <= 300; ++lsn) wal.write(entry(lsn));
    expect(sealed).toEqual([]);
    wal.checkpointSync(290);
    expect(sealed.length).toBeGreaterThan(1);
    await wal.close();
    const archived: number[] = [];
    const archiving: Wal = Wal.openSync(directory.path('archived'), {
      ...SMALL_FILES,
      onSegmentSealed: ({ number, lastLsn }) => {
        archived.push(number);
        archiving.checkpointSync(lastLsn);
      },
    });
    fill(archiving, 300);
    await turn();
    expect(archiving.files).toHaveLength(1);
    expect(archived).toEqual(range(1, archiving.files[0]!.number - 1));
    await archiving.close();
  });
});

describe('a hook that throws', () => {
  function opened(options: WalOptions): { wal: Wal; errors: [unknown, number][] } {
    const errors: [unknown, number][] = [];
    const onError = (error: unknown, { number }: WalFile) => errors.push([error, number]);
    return { wal: Wal.openSync(path(), { ...SMALL_FILES, onError, ...options }), errors };
  }

  test('onSegmentSealed: the file is kept, and it is tried again with the next', async () => {
    const calls: number[] = [];
    const full = new Error('the archive is full');
    const { wal, errors } = opened({
      retainBytes: 8192,
      onSegmentSealed: ({ number }) => {
        calls.push(number);
        if (calls.length < 4) throw full;
      },
    });
    for (let lsn = 1; wal.files.length < 5; ++lsn) await wal.append(entry(lsn), { durability: 'os' });
    await turn();
    expect(calls).toEqual([1, 1, 1, 1, 2, 3, 4]);
    expect(errors).toEqual([1, 2, 3].map(() => [full, 1]));
    await comesTrue(() => wal.files.length < 3);
    await wal.close();
  });

  test('beforeDelete: nothing is deleted, and it is tried again', async () => {
    let isRefusing = true;
    const { wal, errors } = opened({
      retainBytes: 8192,
      beforeDelete: () => {
        if (isRefusing) throw new Error('not yet');
      },
    });
    fill(wal, 300);
    await turn();
    expect(wal.firstLsn).toBe(1);
    expect(errors.length).toBeGreaterThan(0);
    expect((thrownBy(() => wal.checkpointSync(100)) as Error).message).toBe('not yet');
    isRefusing = false;
    fill(wal, 400);
    await comesTrue(() => wal.firstLsn > 300);
    expectIntact(wal, wal.firstLsn, 400);
    await wal.close();
  });

  test('without onError the process warns once, and lives; a rejected promise is no other case', () => {
    const told = runInChild(`
      const { Wal } = require('atomic-log');
      const warnings = [];
      process.on('warning', ({ code, message }) => warnings.push([code, message]));
      (async () => {
        for (const hook of [() => { throw new Error('full'); }, async () => { throw 'full'; }]) {
          const path = ${JSON.stringify(path())} + warnings.length;
          const wal = Wal.openSync(path, { segmentBytes: 8192, retainBytes: 8192, onSegmentSealed: hook });
          for (let i = 0; i < 100; ++i) await wal.append(Buffer.alloc(1000));
          await wal.close();
          await new Promise((resolve) => setImmediate(resolve));
        }
        console.log(JSON.stringify(warnings));
      })();`);
    const warnings = JSON.parse(told) as [string, string][];
    expect(warnings.map(([code]) => code)).toEqual(Array(2).fill('ATOMIC_LOG_FILES_KEPT'));
    expect(warnings[0]![1]).toMatch(/full.*onError/);
  });

  test('onError that throws ends nothing either', async () => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { wal } = opened({
      onSegmentSealed: () => {
        throw new Error('full');
      },
      onError: () => {
        throw new Error('no pager');
      },
    });
    fill(wal, 300);
    await turn();
    await wal.close();
    expect(warned.mock.calls).toEqual([[expect.stringMatching(/no pager/), expect.anything()]]);
    warned.mockRestore();
  });

  test('nor does onError that rejects, or what has no text', () => {
    const told = runInChild(`
      const { Wal } = require('atomic-log');
      const warnings = [];
      process.on('warning', ({ message }) => warnings.push(message));
      const reject = async () => { throw new Error('no pager'); };
      const odd = [Object.create(null), { toString() { throw 1; } }, Object.assign(new Error(), { message: Symbol('s') })];
      (async () => {
        const hooks = [
          { onSegmentSealed: () => { throw 1; }, onError: reject },
          ...odd.flatMap((thrown) => [
            { onSegmentSealed: () => { throw thrown; } },
            { onSegmentSealed: async () => { throw thrown; } },
            { onSegmentSealed: () => { throw 1; }, onError: () => { throw thrown; } },
          ]),
        ];
        for (const [i, each] of hooks.entries()) {
          const wal = Wal.openSync(${JSON.stringify(path())} + i, { segmentBytes: 8192, ...each });
          for (let n = 0; n < 20; ++n) await wal.append(Buffer.alloc(1000));
          await wal.close();
          await new Promise((resolve) => setImmediate(resolve));
        }
        console.log(JSON.stringify([warnings.length, warnings[0]]));
      })();`);
    expect(JSON.parse(told)).toEqual([10, expect.stringMatching(/no pager/)]);
  });
});

test('hooks are told of a file what `files` says of it', () => {
  const told: WalFile[] = [];
  const expected: WalFile[] = [];
  const tell = (file: WalFile): void => {
    told.push(file);
    expected.push(wal.files.find(({ number }) => number === file.number)!);
  };
  const wal: Wal = Wal.openSync(path(), { ...SMALL_FILES, onSegmentSealed: tell, beforeDelete: tell });
  fill(wal, 300);
  wal.truncateAfterSync(120);
  fill(wal, 400);
  wal.checkpointSync(350);
  expect(told.length).toBeGreaterThan(8);
  expect(told).toEqual(expected);
  expect(wal.stats()).toMatchObject({ files: wal.files.length, bytes: 8192 * wal.files.length });
  wal.closeSync();
});

describe('a hook that works on the log', () => {
  test('beforeDelete lets go of more than the checkpoint that calls it', () => {
    let isFirst = true;
    const wal: Wal = Wal.openSync(path(), {
      ...SMALL_FILES,
      beforeDelete: () => {
        if (!isFirst) return;
        isFirst = false;
        wal.truncateAfterSync(45);
        for (let lsn = 46; lsn <= 60; ++lsn) wal.appendSync(entry(lsn));
        wal.checkpointSync(49);
      },
    });
    for (let lsn = 1; lsn <= 50; ++lsn) wal.write(Buffer.alloc(1500));
    wal.checkpointSync(50);
    expect([wal.firstLsn, wal.lastLsn]).toEqual([51, 60]);
    wal.closeSync();
    const again = Wal.openSync(path());
    expect([again.firstLsn, again.lastLsn]).toEqual([51, 60]);
    again.closeSync();
  });

  test('beforeDelete is not told of a file that its own checkpoint has deleted', async () => {
    for (const isSync of [false, true]) {
      const told: number[] = [];
      const wal: Wal = Wal.openSync(directory.path(`log${isSync}`), {
        ...SMALL_FILES,
        beforeDelete: ({ path, number }) => {
          expect(existsSync(path)).toBe(true);
          told.push(number);
          if (told.length === 1) wal.checkpointSync(wal.lastLsn);
        },
      });
      fill(wal, 300);
      const newest = wal.files.at(-1)!.number;
      expect(newest).toBeGreaterThan(3);
      if (isSync) wal.checkpointSync(300);
      else await wal.checkpoint(300);
      expect(told).toEqual([1, ...range(1, newest - 1)]);
      await wal.close();
    }
  });
});

describe('retainBytes', () => {
  test('counts what is used, not the length of files that are nearly empty', async () => {
    const wal = Wal.openSync(path(), { segmentBytes: 1 << 20, retainBytes: 3 << 20 });
    for (let lsn = 1; lsn <= 100; ++lsn) wal.write(entry(lsn));
    // As a Raft log does.
    for (let i = 0; i < 20; ++i) {
      wal.truncateAfterSync(99);
      wal.appendSync(entry(100));
    }
    await turn();
    expect(wal.files).toHaveLength(21);
    expect(wal.firstLsn).toBe(1);
    expectIntact(wal, 1, 100);
    await wal.close();
  });

  test('never takes entries of the files that stay, whatever was truncated', async () => {
    const wal = Wal.openSync(path(), { ...SMALL_FILES, retainBytes: 20 * 8192 });
    fill(wal, 1000);
    wal.truncateAfterSync(900);
    for (let round = 0; round < 12; ++round) {
      fill(wal, wal.lastLsn + 60);
      wal.truncateAfterSync(wal.lastLsn - 50);
      await turn();
      await comesTrue(() => wal.firstLsn === wal.files[0]!.firstLsn);
      expectIntact(wal, wal.firstLsn, wal.lastLsn);
    }
    await wal.close();
  });

  test('drops files while the event loop turns, before what is appended afterwards', async () => {
    const wal = Wal.openSync(path(), { ...SMALL_FILES, retainBytes: 3 * 8192 });
    let wasUnderWay = false;
    for (let lsn = 1; lsn <= 600; ++lsn) {
      await wal.append(entry(lsn), { durability: 'os' });
      // The turn in which the file became complete ends: a checkpoint that this thread made would be over.
      for (let i = 0; i < 2; ++i) await Promise.resolve();
      wasUnderWay ||= wal.firstLsn > 1 && wal.stats().files > 3;
      if (lsn % 50 === 0) {
        await wal.sync();
        expect(wal.files.length).toBeLessThanOrEqual(4);
        expectIntact(wal, wal.firstLsn, lsn);
      }
    }
    expect(wasUnderWay).toBe(true);
    const { firstLsn } = wal;
    await Promise.all(range(601, 700).map((lsn) => wal.append(entry(lsn))));
    await wal.close();
    withWal(path(), (again) => {
      expect(again.firstLsn).toBeGreaterThan(firstLsn);
      expectIntact(again, again.firstLsn, 700);
    });
  });

  test('keeps a program alive until the files are gone', () => {
    const left = runInChild(`
      const { Wal } = require('atomic-log');
      const path = ${JSON.stringify(path())};
      const wal = Wal.openSync(path, { segmentBytes: 8192, retainBytes: 8192 });
      for (let i = 0; i < 12; ++i) wal.appendSync(Buffer.alloc(1000));
      process.on('exit', () => console.log(wal.files.length));`);
    expect(Number(left)).toBe(1);
  });

  test('acts in a long synchronous run', () => {
    const wal = Wal.openSync(path(), { ...SMALL_FILES, retainBytes: 4 * 8192 });
    for (let lsn = 1; lsn <= 2000; ++lsn) {
      wal.appendSync(entry(lsn), { durability: 'os' });
      expect(wal.files.length).toBeLessThan(8);
    }
    expectIntact(wal, wal.firstLsn, 2000);
    wal.closeSync();
  });
});

describe('AsyncLocalStorage', () => {
  const storage = new AsyncLocalStorage<string>();

  test('hooks run in the context of the call that opened the log', async () => {
    const seen = new Set<string | undefined>();
    const hook = () => void seen.add(storage.getStore());
    const options = { ...SMALL_FILES, retainBytes: 8192, onSegmentSealed: hook, beforeDelete: hook };
    const wal = await storage.run('open', () => Wal.open(path(), options));
    await storage.run('append', async () => {
      await Promise.all(range(1, 300).map((lsn) => wal.append(entry(lsn))));
      fill(wal, 500);
      await wal.close();
    });
    expect([...seen]).toEqual(['open']);
  });

  test('promises and followers keep theirs', async () => {
    const wal = await storage.run('open', () => Wal.open(path()));
    const reader = storage.run('reader', () => WalReader.open(path()));
    const { writer, log } = storage.run('log', () =>
      AtomicLog.claimed({ retainedCapacity: 9, segmentCapacity: 3 }),
    );
    const followed = (name: string, entries: () => AsyncIterable<unknown>): Promise<void> =>
      storage.run(name, async () => {
        for await (const _ of entries()) {
          expect(storage.getStore()).toBe(name);
          break;
        }
        expect(storage.getStore()).toBe(name);
      });
    const following = [
      followed('a', () => wal.follow()),
      followed('b', () => reader.follow()),
      followed('c', () => log.follow()),
    ];
    await turn();
    const appending = range(1, 5).map((i) =>
      storage.run(`append ${i}`, async () => {
        await wal.append(entry(i));
        expect(storage.getStore()).toBe(`append ${i}`);
      }),
    );
    storage.run('writer', () => writer.append(1));
    await Promise.all([...appending, ...following]);
    await storage.run('sync', async () => {
      await wal.sync();
      await wal.backup(directory.path('copy'));
      expect(storage.getStore()).toBe('sync');
    });
    reader.close();
    log.close();
    await wal.close();
  });
});

test('what cannot be looked at ends no append: the process is warned, and it is tried again', () => {
  const { SealedFiles } = requireInternal<{
    SealedFiles: new (options: object, source: object) => { notice(): void };
  }>('durable/wal/sealed.js');
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  let rotations = 0;
  const sealed = new SealedFiles(
    { path: path(), retainBytes: 1 },
    {
      isOpen: () => true,
      rotations: () => rotations,
      table: () => {
        if (rotations === 0) return { length: 1 };
        throw new Error('no memory');
      },
    },
  );
  for (rotations = 1; rotations < 4; ++rotations) sealed.notice();
  expect(warn.mock.calls.map(([message]) => message)).toEqual([expect.stringMatching(/no memory/)]);
  warn.mockRestore();
});
