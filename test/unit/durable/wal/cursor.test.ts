/** Cursors: consumers that a checkpoint waits for, in this process and in others. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

import { parsePosition, Wal, WalCursor, WalReader } from 'atomic-log';

import { expectError } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';
import { entry, fill, lsnsOf, range, SMALL_FILES, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const file = (name: string) => directory.path(`log/cursors/${name}`);

const opened = (last: number) => {
  const wal = Wal.openSync(path(), SMALL_FILES);
  fill(wal, last);
  return wal;
};
const at = (log: Wal | WalReader, lsn: number) => log.get(lsn)!.position;

describe('a cursor', () => {
  test('begins before the oldest entry, and stays where it was committed', async () => {
    using wal = opened(20);
    {
      await using cursor = await wal.cursor('billing');
      expect(cursor).toMatchObject({ name: 'billing', position: undefined, nextLsn: 1, lag: 20 });
      expect(lsnsOf(wal.entries({ from: cursor.position }))).toEqual(range(1, 20));
      await cursor.commit(at(wal, 5));
      expect(cursor).toMatchObject({ position: at(wal, 5), nextLsn: 6, lag: 15 });
    }
    using again = wal.cursorSync('billing');
    expect(again.position).toBe(at(wal, 5));
    expect(lsnsOf(wal.entries({ from: again.position }))).toEqual(range(6, 20));
    again.commitSync(at(wal, 4));
    expect(again).toMatchObject({ position: at(wal, 4), lag: 16 });
    const info = { name: 'billing', position: at(wal, 4), nextLsn: 5, lag: 16 };
    expect(wal.cursors()).toEqual([{ ...info, holder: process.pid }]);
    expect(String(again)).toBe(`WalCursor { name: 'billing', path: '${path()}', nextLsn: 5 }`);
  });

  test('makes its entry durable first', async () => {
    using wal = opened(3);
    await using cursor = await wal.cursor('billing');
    for (const commit of [
      () => cursor.commit(at(wal, wal.lastLsn)),
      () => Promise.resolve(cursor.commitSync(at(wal, wal.lastLsn))),
    ]) {
      const lsn = wal.write(entry(wal.lastLsn + 1));
      expect(wal.durableLsn).toBe(lsn - 1);
      await commit();
      expect(wal.durableLsn).toBe(lsn);
      expect(cursor.nextLsn).toBe(lsn + 1);
    }
  });

  test('commits in the order of the calls, many at once', async () => {
    using wal = opened(60);
    const cursor = await wal.cursor('billing');
    const positions = range(1, 60).map((lsn) => at(wal, lsn));
    const commits = positions.map((position) => cursor.commit(position));
    commits.push(cursor.commit(positions[39]!), cursor.commit(positions[9]!));
    await Promise.all(commits);
    expect(cursor.nextLsn).toBe(11);
    void cursor.commit(positions[19]!);
    void cursor.commit(positions[29]!);
    cursor.commitSync(positions[39]!);
    expect(cursor.nextLsn).toBe(41);
    await cursor.close();
    expect(wal.cursors()).toMatchObject([{ nextLsn: 41 }]);
  });

  test('a commit that a later call overtakes is on disk, or refused, all the same', async () => {
    using wal = opened(60);
    const gone = at(wal, 60);
    wal.truncateAfterSync(50);
    const cursor = await wal.cursor('billing');
    // What is refused overtakes nothing.
    const good = cursor.commit(at(wal, 20));
    expectError(() => cursor.commitSync(gone), 'ERR_TRUNCATED', /is not in the log any more/);
    await good;
    expect(wal.cursors()).toMatchObject([{ nextLsn: 21 }]);
    const wrong = expect(cursor.commit(gone)).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
    cursor.commitSync(at(wal, 30));
    await wrong;
    // What follows it is not needed any more.
    const right = cursor.commit(at(wal, 10));
    cursor.commitSync(at(wal, 50));
    wal.checkpointSync(50);
    expect(wal.firstLsn).toBe(50);
    await right;
    expect(cursor.nextLsn).toBe(51);
    await cursor.close();
    expect(wal.cursors()).toMatchObject([{ nextLsn: 51 }]);
  });

  test('is closed with its log, after what was called', async () => {
    const wal = opened(20);
    const cursor = await wal.cursor('billing');
    const committed = cursor.commit(at(wal, 7));
    await wal.close();
    await committed;
    await expect(cursor.commit(cursor.position!)).rejects.toMatchObject({ code: 'ERR_CURSOR_CLOSED' });
    expectError(() => cursor.lag, 'ERR_CURSOR_CLOSED', /open it again/);
    expectError(() => wal.cursors(), 'ERR_LOG_CLOSED', /closed/);
    await expect(wal.cursor('billing')).rejects.toMatchObject({ code: 'ERR_LOG_CLOSED' });
    using other = WalCursor.openSync(path(), 'billing');
    expect(other.nextLsn).toBe(8);
  });

  test('has one owner', async () => {
    using wal = opened(5);
    const cursor = await wal.cursor('billing');
    const busy = { code: 'ERR_LOCKED', holder: process.pid };
    await expect(wal.cursor('billing')).rejects.toMatchObject(busy);
    expect(() => WalCursor.openSync(path(), 'billing')).toThrow(expect.objectContaining(busy) as Error);
    await expect(wal.deleteCursor('billing')).rejects.toMatchObject(busy);
    expect(wal.cursors()).toMatchObject([{ name: 'billing', holder: process.pid }]);
    await cursor.close();
    expect(wal.cursors()[0]).not.toHaveProperty('holder');
    expect(await wal.deleteCursor('billing')).toBe(true);
    expect(wal.deleteCursorSync('billing')).toBe(false);
    expect(wal.cursors()).toEqual([]);
    expect(readdirSync(file(''))).toEqual(['LOCK']);
  });

  test('has a name that every file system can hold', async () => {
    using wal = opened(1);
    for (const name of ['', 'A', 'a/b', '../a', '.', 'a.', '-a', 'a b', 'ä', 'a'.repeat(65), 'a\0b']) {
      expectError(() => wal.cursorSync(name), 'ERR_INVALID_ARG_VALUE', /small letters, digits/);
      await expect(wal.deleteCursor(name)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    }
    // @ts-expect-error: a name is a string.
    expectError(() => wal.cursorSync(1), 'ERR_INVALID_ARG_TYPE', /name must be a string/);
    for (const name of ['a', '0', 'a.b_c-d', 'x'.repeat(64)]) wal.cursorSync(name).closeSync();
    expect(wal.cursors().map(({ name }) => name)).toEqual(['0', 'a', 'a.b_c-d', 'x'.repeat(64)]);
  });

  test('refuses what is no position of the log', async () => {
    using wal = opened(10);
    using other = Wal.openSync(directory.path('other'));
    other.appendSync(entry(1));
    using cursor = wal.cursorSync('billing');
    await cursor.commit(at(wal, 3));
    const { epoch, branch, logId } = parsePosition(at(wal, 3));
    expect(logId).toBe(wal.logId);
    const near = (lsn: number, e = epoch, b = branch) =>
      `${lsn}:${e}:${b.toString(16).padStart(8, '0')}:${logId}`;
    await expect(cursor.commit(at(other, 1))).rejects.toMatchObject({ code: 'ERR_FOREIGN_POSITION' });
    for (const wrong of [near(11), near(4, epoch + 1), near(4, epoch, (branch ^ 1) >>> 0)]) {
      await expect(cursor.commit(wrong)).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
      expectError(() => cursor.commitSync(wrong), 'ERR_TRUNCATED', /is not in the log any more/);
    }
    await expect(cursor.commit('4')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    // @ts-expect-error: an LSN is no position.
    await expect(cursor.commit(4)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(cursor.position).toBe(at(wal, 3));
  });
});

describe('a checkpoint', () => {
  test('keeps the entry of the slowest cursor', async () => {
    using wal = opened(300);
    const [slow, fast] = [wal.cursorSync('slow'), wal.cursorSync('fast')];
    await fast.commit(at(wal, 250));
    await wal.checkpoint(300);
    expect(wal.firstLsn).toBe(1);
    await slow.commit(at(wal, 100));
    wal.checkpointSync(50);
    expect(wal.firstLsn).toBe(51);
    await wal.checkpoint(300);
    expect(wal.firstLsn).toBe(100);
    await slow.delete();
    await wal.checkpoint(300);
    expect(wal.firstLsn).toBe(250);
    fast.closeSync();
    // Closed is not gone.
    wal.checkpointSync(300);
    expect(wal.firstLsn).toBe(250);
    wal.deleteCursorSync('fast');
    wal.checkpointSync(300);
    expect(wal.firstLsn).toBe(301);
  });

  test('waits for a cursor whose entries were taken back, from where they were', async () => {
    using wal = opened(100);
    using cursor = wal.cursorSync('billing');
    await cursor.commit(at(wal, 90));
    await wal.truncateAfter(50);
    fill(wal, 300);
    await wal.checkpoint(300);
    expect(wal.firstLsn).toBe(50);
  });

  test('tells the hooks of no file that stays for a cursor', async () => {
    const told: number[] = [];
    using wal = Wal.openSync(path(), { ...SMALL_FILES, beforeDelete: ({ number }) => told.push(number) });
    fill(wal, 300);
    using cursor = wal.cursorSync('billing');
    await wal.checkpoint(300);
    wal.checkpointSync(300);
    expect(told).toEqual([]);
    await cursor.commit(at(wal, 150));
    await wal.checkpoint(300);
    expect(wal.firstLsn).toBe(150);
    expect(told).toEqual(range(1, wal.files[0]!.number - 1));
  });

  test('for retainBytes waits too', () => {
    using wal = Wal.openSync(path(), { ...SMALL_FILES, retainBytes: 3 * 8192 });
    using cursor = wal.cursorSync('billing');
    fill(wal, 1000);
    expect(wal.firstLsn).toBe(1);
    cursor.commitSync(at(wal, 600));
    fill(wal, 1300);
    expect(wal.firstLsn).toBe(600);
  });

  test('that is forced says what each cursor has lost', async () => {
    using wal = opened(300);
    const [old, fresh, fine] = ['old', 'fresh', 'fine'].map((name) => wal.cursorSync(name));
    await old!.commit(at(wal, 100));
    await fine!.commit(at(wal, 250));
    await wal.checkpoint(200, { force: true });
    expect(wal.firstLsn).toBe(201);
    expectError(() => [...wal.entries({ from: fresh!.nextLsn })], 'ERR_CHECKPOINTED', /entry 1 is gone/);
    expectError(() => wal.entries({ from: old!.position }), 'ERR_CHECKPOINTED', /begins with entry 201/);
    for (const cursor of [old, fresh, fine]) await cursor!.close();
    await expect(wal.cursor('old')).rejects.toMatchObject({
      code: 'ERR_CHECKPOINTED',
      lsn: 101,
      firstLsn: 201,
      lost: { from: 101, to: 200 },
    });
    expect(() => WalCursor.openSync(path(), 'fresh')).toThrow(
      expect.objectContaining({ code: 'ERR_CHECKPOINTED', lost: { from: 1, to: 200 } }) as Error,
    );
    wal.cursorSync('fine').closeSync();
    // They hold nothing that is still there, but all of it.
    await wal.checkpoint(300);
    expect(wal.firstLsn).toBe(201);
    using again = wal.cursorSync('old', { reset: true });
    expect(again).toMatchObject({ position: undefined, nextLsn: 201, lag: 100 });
    // @ts-expect-error: a boolean.
    expect(() => wal.checkpointSync(300, { force: 1 })).toThrow(/options.force must be a boolean/);
  });
});

describe('a position that is not there any more', () => {
  test('is an error when the cursor is opened, until it is reset', async () => {
    using wal = opened(100);
    {
      using cursor = wal.cursorSync('billing');
      await cursor.commit(at(wal, 90));
    }
    wal.truncateAfterSync(80);
    fill(wal, 100);
    await expect(wal.cursor('billing')).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
    await expect(WalCursor.open(path(), 'billing')).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
    using cursor = wal.cursorSync('billing', { reset: true });
    expect(cursor).toMatchObject({ position: undefined, nextLsn: 1 });
    await cursor.commit(at(wal, 80));
  });

  test('a damaged cursor is loud, holds checkpoints, and is reset or deleted', async () => {
    using wal = opened(100);
    wal.cursorSync('billing').closeSync();
    const good = readFileSync(file('cursor-billing'));
    const damages = [...range(0, good.length - 1).map((i) => good.map((byte, at) => byte ^ +(at === i)))];
    damages.push(good.subarray(0, 51), Buffer.alloc(0), Buffer.alloc(52), Buffer.concat([good, good]));
    for (const bytes of damages) {
      writeFileSync(file('cursor-billing'), bytes);
      expect(() => wal.cursorSync('billing')).toThrow(/cursor-billing/);
      expect(() => wal.checkpointSync(50)).toThrow(
        expect.objectContaining({ code: 'ERR_CURSOR_DAMAGED', path: file('cursor-billing') }) as Error,
      );
    }
    await expect(wal.checkpoint(50)).rejects.toMatchObject({ code: 'ERR_CURSOR_DAMAGED' });
    expect(wal.firstLsn).toBe(1);
    expect(wal.cursors()).toMatchObject([{ name: 'billing', lag: undefined, position: undefined }]);
    expectError(() => wal.cursorSync('billing'), 'ERR_CURSOR_DAMAGED', /reset: true.*deleteCursor/);
    wal.cursorSync('billing', { reset: true }).closeSync();
    writeFileSync(file('cursor-billing'), good.subarray(0, 51));
    wal.checkpointSync(20, { force: true });
    expect(wal.firstLsn).toBe(21);
    expect(wal.deleteCursorSync('billing')).toBe(true);
    wal.checkpointSync(50);
    expect(wal.firstLsn).toBe(51);
  });

  test('after the last entry: lists say so, as long as it is', async () => {
    using wal = opened(100);
    await using cursor = await wal.cursor('billing');
    await cursor.commit(at(wal, 90));
    await wal.truncateAfter(50);
    const [listed] = wal.cursors();
    expect(listed).toMatchObject({ name: 'billing', holder: process.pid });
    expect(listed).toMatchObject({ position: undefined, nextLsn: undefined, lag: undefined });
    expect(listed!.error).toMatchObject({ code: 'ERR_TRUNCATED', path: file('cursor-billing') });
    expect(listed!.error!.message).toMatch(/stands on entry 90, but the last entry is 50.*reset: true/);
    using reader = WalReader.open(path());
    fill(wal, 100);
    await cursor.commit(at(wal, 100));
    // What a reader has not looked for yet is not ahead.
    expect(reader.lastLsn).toBe(50);
    for (const log of [wal, reader]) {
      expect(log.cursors()).toMatchObject([{ nextLsn: 101, lag: 0 }]);
      expect(log.cursors()[0]).not.toHaveProperty('error');
    }
  });

  test('of another log, renamed, or of a later release: nothing is guessed', () => {
    using wal = opened(100);
    for (const name of ['billing', 'other']) wal.cursorSync(name).closeSync();
    const good = readFileSync(file('cursor-other'));
    writeFileSync(file('cursor-billing'), good);
    expectError(() => wal.cursorSync('billing'), 'ERR_CURSOR_DAMAGED', /is damaged/);
    const newer = Buffer.from(good);
    newer[8] = 2;
    writeFileSync(file('cursor-other'), newer);
    expectError(() => wal.cursorSync('other', { reset: true }), 'ERR_FORMAT', /later release/);
    wal.closeSync();
    rmSync(path(), { recursive: true });
    using fresh = Wal.openSync(path(), SMALL_FILES);
    fill(fresh, 10);
    fresh.cursorSync('other').closeSync();
    writeFileSync(file('cursor-other'), good);
    expectError(() => fresh.cursorSync('other'), 'ERR_CURSOR_DAMAGED', /one of another log/);
    expectError(() => fresh.checkpointSync(5), 'ERR_CURSOR_DAMAGED', /one of another log/);
    using reader = WalReader.open(path());
    for (const log of [fresh, reader]) {
      const [other] = log.cursors();
      expect(other).toMatchObject({ name: 'other', position: undefined, nextLsn: undefined, lag: undefined });
      expect(other!.error).toMatchObject({ code: 'ERR_CURSOR_DAMAGED', path: file('cursor-other') });
      expect(other!.error!.message).toMatch(/one of another log.*deleteCursor/);
    }
  });
});

describe('without the writer', () => {
  test('is opened by its directory, and sees what is proved', async () => {
    withWal(path(), (wal) => fill(wal, 50));
    using reader = WalReader.open(path());
    await using cursor = await WalCursor.open(path(), 'billing');
    expect(cursor).toMatchObject({ position: undefined, nextLsn: 1, lag: 50 });
    await cursor.commit(at(reader, 30));
    expect(cursor.lag).toBe(20);
    expect(reader.cursors()).toMatchObject([{ name: 'billing', nextLsn: 31, lag: 20 }]);
    withWal(path(), (wal) => {
      fill(wal, 60);
      wal.checkpointSync(60);
      expect(wal.firstLsn).toBe(30);
    });
    expect(cursor.lag).toBe(30);
    await expect(WalCursor.open(directory.path('none'), 'a')).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_FOUND',
    });
    expect(existsSync(directory.path('none'))).toBe(false);
  });

  test('an entry that is not proved to be on disk is refused', async () => {
    using wal = opened(10);
    await using cursor = await WalCursor.open(path(), 'billing');
    wal.write(entry(11));
    const unproved = at(wal, 11);
    await expect(cursor.commit(unproved)).rejects.toMatchObject({ code: 'ERR_NOT_DURABLE' });
    wal.syncSync();
    await wal.close();
    await cursor.commit(unproved);
    expect(cursor.nextLsn).toBe(12);
  });

  test('a log without a place for cursors gets one from its writer, or while there is none', async () => {
    using wal = opened(10);
    rmSync(file(''), { recursive: true });
    await wal.checkpoint(2);
    expect(wal.firstLsn).toBe(3);
    expectError(() => WalCursor.openSync(path(), 'billing'), 'ERR_LOCKED', /make the first one with/);
    using cursor = await wal.cursor('billing');
    expect(cursor.nextLsn).toBe(3);
    wal.closeSync();
    rmSync(file(''), { recursive: true });
    using other = WalCursor.openSync(path(), 'billing');
    expect(other.nextLsn).toBe(3);
  });

  test('follows from where it stands', async () => {
    using wal = opened(20);
    using reader = WalReader.open(path(), { pollMs: 1 });
    await using cursor = await WalCursor.open(path(), 'billing');
    // The writer says so in the log once it is idle.
    while (reader.lastLsn < 5) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      reader.refresh();
    }
    await cursor.commit(at(reader, 5));
    const seen: number[] = [];
    for await (const entries of reader.follow({ from: cursor.position ?? cursor.nextLsn })) {
      seen.push(...lsnsOf(entries));
      await cursor.commit(entries.at(-1)!.position);
      if (seen.at(-1) === 20) break;
    }
    expect(seen).toEqual(range(6, 20));
    expect(wal.cursors()).toMatchObject([{ nextLsn: 21, lag: 0 }]);
  });
});

test('a backup has no cursors, and their positions are good in it', async () => {
  const copy = directory.path('copy');
  using wal = opened(20);
  using cursor = wal.cursorSync('billing');
  await cursor.commit(at(wal, 12));
  await wal.backup(copy);
  using copied = Wal.openSync(copy, SMALL_FILES);
  expect(copied.cursors()).toEqual([]);
  using there = copied.cursorSync('billing');
  await there.commit(cursor.position!);
  expect(there.nextLsn).toBe(13);
});
