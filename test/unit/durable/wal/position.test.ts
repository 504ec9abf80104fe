/** Positions: saved, given back, and what has changed meanwhile noticed. */
import { cpSync, renameSync, rmSync } from 'node:fs';

import { Wal, WalReader, type AtomicLogError, type WalEntry, type WalPosition } from 'atomic-log';

import { expectError } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';
import { entry, fill, lsnsOf, range, SMALL_FILES, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');

type Log = Wal | WalReader;

/** Saved as JSON, as a consumer may. */
function saved(log: Log, lsn: number): WalPosition {
  return (JSON.parse(JSON.stringify({ at: log.get(lsn)!.position })) as { at: string }).at;
}

const savedAt = (lsn: number) => withWal(path(), (wal) => saved(wal, lsn));
const made = (last: number) => withWal(path(), (wal) => fill(wal, last));

async function first(log: Log, from: WalPosition | number): Promise<number[] | AtomicLogError> {
  const follower = log.follow({ from, signal: AbortSignal.timeout(10_000) });
  try {
    return lsnsOf((await follower.next()).value as WalEntry[]);
  } catch (error) {
    return error as AtomicLogError;
  } finally {
    await follower.return!();
  }
}

/** The same from entries() and follow(), beside the writer and elsewhere. */
async function everywhere(from: WalPosition, expected: number[] | object): Promise<void> {
  const wal = Wal.openSync(path(), SMALL_FILES);
  wal.closeSync();
  const logs = [Wal.openSync(path(), SMALL_FILES), WalReader.open(path(), { pollMs: 2 })];
  for (const log of logs) {
    if (Array.isArray(expected)) {
      expect(lsnsOf(log.entries({ from }))).toEqual(expected);
      if (expected.length > 0) expect((await first(log, from)) as number[]).toEqual(expected);
    } else {
      expect(() => log.entries({ from })).toThrow(expect.objectContaining(expected) as Error);
      expect(await first(log, from)).toMatchObject(expected);
    }
  }
  (logs[0] as Wal).closeSync();
  (logs[1] as WalReader).close();
}

const TRUNCATED = { code: 'ERR_TRUNCATED' };

test('goes on after the entry, after restarts and in new files', async () => {
  made(20);
  const at = savedAt(20);
  expect(at).toMatch(/^20:\d+:[0-9a-f]{8}:[0-9a-f]{32}$/);
  await everywhere(at, []);
  made(25);
  await everywhere(at, range(21, 25));
  await everywhere(savedAt(3), range(4, 25));
});

test('an entry that was taken back and written anew is noticed, after a restart too', async () => {
  made(20);
  const [before, at, last] = [savedAt(10), savedAt(11), savedAt(20)];
  withWal(path(), (wal) => wal.truncateAfterSync(10));
  await everywhere(last, TRUNCATED);
  made(22);
  await everywhere(at, TRUNCATED);
  await everywhere(last, TRUNCATED);
  // Who goes on from the entry of the position would miss what was rewritten before it.
  withWal(path(), (wal) => {
    const message = /go on from an earlier position, or from the oldest entry/;
    const error = expectError(() => wal.entries({ from: last }), 'ERR_TRUNCATED', message);
    expect(error).not.toHaveProperty('lsn');
  });
  await everywhere(before, range(11, 22));
});

test('a truncation within one life is noticed', () => {
  withWal(path(), (wal) => {
    fill(wal, 5);
    const at = saved(wal, 5);
    wal.truncateAfterSync(4);
    wal.appendSync(entry(5));
    expectError(
      () => wal.entries({ from: at }),
      'ERR_TRUNCATED',
      /entry 5 is not in the log any more, or is another/,
    );
    expect(saved(wal, 4)).not.toBe(saved(wal, 5));
  });
});

test('a restored backup that went on is noticed, with the same count of lives', async () => {
  made(10);
  cpSync(path(), directory.path('backup'), { recursive: true });
  made(12);
  const [shared, lost] = [savedAt(10), savedAt(12)];
  rmSync(path(), { recursive: true });
  renameSync(directory.path('backup'), path());
  await everywhere(lost, TRUNCATED);
  made(15);
  await everywhere(lost, TRUNCATED);
  await everywhere(shared, range(11, 15));
});

test('the position of another log is refused, and what is none', async () => {
  made(10);
  const at = savedAt(5);
  rmSync(path(), { recursive: true });
  made(10);
  await everywhere(at, { code: 'ERR_FOREIGN_POSITION' });
  withWal(path(), (wal) => {
    for (const wrong of ['5', '', at.slice(1), `${at}0`, at.toUpperCase(), `0${at.slice(1)}`]) {
      expect(() => wal.entries({ from: wrong })).toThrow();
      expect(() => wal.follow({ from: wrong })).toThrow();
    }
    expectError(
      () => wal.follow({ from: 'newest' }),
      'ERR_INVALID_ARG_VALUE',
      /'oldest', 'latest', an LSN or the position/,
    );
    expectError(
      () => wal.entries({ from: null as never }),
      'ERR_INVALID_ARG_TYPE',
      /range\.from must be an LSN or the position of an entry; got null/,
    );
    const cursor = wal.cursorSync('by-number');
    expectError(
      () => void cursor.commitSync(5 as never),
      'ERR_INVALID_ARG_TYPE',
      /position must be the position of an entry; got 5; give entry\.position, not its LSN$/,
    );
  });
});

test('a checkpoint: what comes next is gone, or nothing is', async () => {
  made(300);
  const [early, before, last] = [savedAt(5), savedAt(249), savedAt(250)];
  withWal(path(), (wal) => wal.checkpointSync(250));
  await everywhere(early, { code: 'ERR_CHECKPOINTED', firstLsn: 251 });
  await everywhere(before, { code: 'ERR_CHECKPOINTED' });
  await everywhere(last, range(251, 300));
});

test('a position that the writer gave out before the proof is known to a reader', async () => {
  const wal = await Wal.open(path());
  await wal.append(entry(1));
  const { position } = wal.get(await wal.append(entry(2)))!;
  using reader = WalReader.open(path(), { pollMs: 2 });
  expect([...reader.entries({ from: position })]).toEqual([]);
  const next = first(reader, position);
  await wal.append(entry(3));
  expect(await next).toEqual([3]);
  await wal.close();
});

test.each(['Wal', 'WalReader'])(
  'follow({ from: LSN }) of a %s counts all before as delivered',
  async (how) => {
    const wal = await Wal.open(path(), SMALL_FILES);
    for (let lsn = 1; lsn <= 20; ++lsn) await wal.append(entry(lsn));
    const reader = WalReader.open(path(), { pollMs: 2 });
    while (reader.lastLsn < 20) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      reader.refresh();
    }
    const log = how === 'Wal' ? wal : reader;
    const [numbered, latest] = [log.follow({ from: 21 }), log.follow({ from: 'latest' })];
    const waiting = numbered.next();
    wal.truncateAfterSync(10);
    for (let lsn = 11; lsn <= 22; ++lsn) await wal.append(entry(lsn));
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
    await expect(latest.next()).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
    reader.close();
    await wal.close();
  },
);
