// Who reads: stats().readers.
import { AtomicLog, type FollowerStats, type ReaderStats } from 'atomic-log';
import { threadId } from 'node:worker_threads';

import { smallLog } from '../../support/logs';
import { collectUntil, nextTurn } from '../../support/memory';

const SEGMENT_BYTES = 128;

function readerOf(log: AtomicLog<number>): ReaderStats {
  const { readers } = log.stats();
  expect(readers).toHaveLength(1);
  return readers[0]!;
}

const followersOf = (log: AtomicLog<number>): FollowerStats[] => readerOf(log).followers;

describe('pins', () => {
  test('of open snapshots, inside the window or not', async () => {
    const { writer, log } = smallLog(12);
    const snapshot = log.snapshot();
    const other = log.snapshot();
    expect(readerOf(log)).toMatchObject({ threadId, pinnedSegments: 3, pinnedBytes: 3 * SEGMENT_BYTES });
    for (let i = 0; i < 100; ++i) writer.append(i);
    await nextTurn();
    expect(readerOf(log).pinnedSegments).toBe(3);
    other.refresh();
    await nextTurn();
    expect(readerOf(log).pinnedSegments).toBe(6);
    snapshot.close();
    other.close();
    await nextTurn();
    expect(readerOf(log)).toMatchObject({ pinnedSegments: 0, pinnedBytes: 0 });
  });

  test('of views that outlive a snapshot which was never closed, until they are collected', async () => {
    const { writer, log } = smallLog(12);
    const views: Float64Array[] = [];
    const keepView = (): void => void views.push(log.snapshot().chunks()[1]!.values as Float64Array);
    keepView();
    for (let i = 0; i < 100; ++i) writer.append(i);
    await collectUntil('the snapshot is collected', () => log.stats().pinnedSegments === 1);
    expect(readerOf(log).pinnedSegments).toBe(1);
    expect(views[0]).toEqual(Float64Array.of(5, 6, 7, 8));
    views.length = 0;
    await collectUntil('the view is collected', () => log.stats().pinnedSegments === 0);
    expect(readerOf(log).pinnedSegments).toBe(0);
  });
});

describe('followers', () => {
  test('and how far behind they are', async () => {
    const { writer, log } = smallLog(6);
    const oldest = log.follow({ from: 'oldest', batchEntriesMax: 4 });
    const latest = log.follow({ from: 'latest' });
    const future = log.follow({ from: 1000 });
    expect(followersOf(log)).toEqual([
      { nextIndex: 0, lag: 6 },
      { nextIndex: 6, lag: 0 },
      { nextIndex: 1000, lag: 0 },
    ]);
    await oldest.next();
    writer.append(7);
    expect(followersOf(log).slice(0, 2)).toEqual([
      { nextIndex: 4, lag: 3 },
      { nextIndex: 6, lag: 1 },
    ]);
    await latest.next();
    expect(followersOf(log)[1]).toEqual({ nextIndex: 7, lag: 0 });
    await oldest.return!();
    expect(followersOf(log)).toHaveLength(2);
    await latest.return!();
    await future.return!();
    expect(followersOf(log)).toEqual([]);
  });

  test('are there as long as they can go on', async () => {
    const { writer, log } = smallLog(6);
    for await (const { length } of log.follow({ from: 'oldest' })) {
      expect(length).toBe(6);
      expect(followersOf(log)).toEqual([{ nextIndex: 6, lag: 0 }]);
      break;
    }
    expect(followersOf(log)).toEqual([]);

    const abort = new AbortController();
    const aborted = log.follow({ from: 'latest', signal: abort.signal }).next();
    abort.abort(new Error('on purpose'));
    await expect(aborted).rejects.toThrow('on purpose');
    expect(followersOf(log)).toEqual([]);

    const throwing = log.follow({ from: 0, onLost: 'throw' });
    for (let i = 0; i < 100; ++i) writer.append(i);
    expect(followersOf(log)).toEqual([{ nextIndex: 0, lag: 106 }]);
    await expect(throwing.next()).rejects.toMatchObject({ code: 'ERR_ENTRIES_LOST' });
    expect(followersOf(log)).toEqual([]);

    const finished = log.follow({ from: 'oldest' });
    writer.end();
    await finished.next();
    expect(await finished.next()).toMatchObject({ done: true });
    expect(followersOf(log)).toEqual([]);
  });

  test('that were dropped without having ended go when they are collected', async () => {
    const { log } = smallLog(6);
    const drop = (): void => void log.follow();
    drop();
    expect(followersOf(log)).toHaveLength(1);
    await collectUntil('the follower is collected', () => followersOf(log).length === 0);
  });

  test('of an object that is closed are gone', async () => {
    const { log } = smallLog(6);
    const other = AtomicLog.attach(log.handle);
    const waiting = other.follow({ from: 'latest' }).next();
    await nextTurn();
    expect(followersOf(log)).toHaveLength(1);
    other.close();
    expect(followersOf(log)).toEqual([]);
    expect(await waiting).toMatchObject({ done: true });
  });
});
