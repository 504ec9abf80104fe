import { AtomicLog } from 'atomic-log';

import { expectError } from '../../support/errors';
import { addon } from '../../support/internals';
import { bounds, entriesOf, range, SMALL, smallLog, type Claimed } from '../../support/logs';
import { testExternal } from '../../support/mapping';
import { collectGarbage, collectUntil, nextTurn } from '../../support/memory';
import { hasStrictViews, testOfSharedMappings } from '../../support/strict';

testOfSharedMappings('all objects of a log in one thread share its mappings', () => {
  const { log } = smallLog(6);
  using attached = AtomicLog.attach(log.handle);
  using snapshot = log.snapshot();
  using other = attached.snapshot();
  const buffers = snapshot.chunks().map((chunk) => chunk.values.buffer);
  expect(other.chunks().map((chunk) => chunk.values.buffer)).toEqual(buffers);
  other.chunks().forEach((chunk, i) => expect(chunk.values.buffer).toBe(buffers[i]));
  expect(log.stats().pinnedHere).toBe(2);
  expect(other.log).toBe(attached);
});

testOfSharedMappings('a block that is used again is seen through the same ArrayBuffer', () => {
  const { writer, log } = smallLog();
  const buffers = new Set<ArrayBufferLike>();
  for (let i = 0; i < 400; ++i) {
    writer.append(i);
    const snapshot = log.snapshot();
    for (const chunk of snapshot.chunks()) buffers.add(chunk.values.buffer);
    snapshot.close();
  }
  expect(buffers.size).toBe(log.stats().fresh);
  expect(log.stats().rolls).toBe(99);
});

test('the window that was used last is released at the end of the turn', async () => {
  const { log } = smallLog(12);
  log.snapshot().close();
  await nextTurn();
  expect(log.stats().pinnedHere).toBe(0);
});

test('it is released as well when the turn began in a timer, after which the loop may sleep', async () => {
  const { log } = smallLog(12);
  const pinned = await new Promise<number[]>((resolve) => {
    setTimeout(() => {
      log.latest();
      const during = log.stats().pinnedHere;
      // The microtasks are all that is left of this turn.
      void Promise.resolve().then(() => resolve([during, log.stats().pinnedHere]));
    });
  });
  expect(pinned).toEqual([hasStrictViews ? 0 : 3, 0]);
});

test('waitSync() lets go of it before it blocks', () => {
  const { log } = smallLog(12);
  log.snapshot().close();
  expect(log.waitSync(100, 1, { allowMainThread: true })).toBe('timeout');
  expect(log.stats().pinnedHere).toBe(0);
});

test('snapshots of different turns share what is still the same', async () => {
  const { writer, log } = smallLog(6);
  const first = log.snapshot();
  await nextTurn();
  const second = log.snapshot();
  writer.append(7);
  await nextTurn();
  const third = log.snapshot();
  expect(log.stats().pinnedHere).toBe(2);
  expect([first, second, third].map((snapshot) => [...snapshot].length)).toEqual([6, 6, 7]);
  writer.appendBatch(new Float64Array(40));
  await nextTurn();
  first.close();
  third.close();
  await nextTurn();
  expect([...second]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(log.stats().pinnedHere).toBe(2);
  second.close();
  expect(log.stats().pinnedHere).toBe(0);
});

test('a snapshot that is older than the window does not widen a new one', async () => {
  const { writer, log } = smallLog(2);
  using old = log.snapshot();
  await nextTurn();
  for (let i = 3; i <= 60; ++i) {
    writer.append(i);
    if (i % 7 === 0) await nextTurn();
    using fresh = log.snapshot();
    expect(bounds(fresh)).toEqual(bounds(log));
  }
  expect([...old]).toEqual([1, 2]);
});

test('the last close() leaves the log at once, in whatever order', () => {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  for (const order of orders) {
    const { writer, log } = smallLog(6);
    const { handle } = log;
    const closables = [writer, log, log.snapshot()];
    for (const i of order) {
      AtomicLog.attach(handle).close();
      closables[i]!.close();
    }
    expectError(() => AtomicLog.attach(handle), 'ERR_LOG_GONE', /gone/);
  }
});

test('attaching again to a log that this thread had left is a new start', async () => {
  const { writer, log } = smallLog(6);
  const { handle } = log;
  for (let i = 0; i < 20; ++i) {
    const attached = AtomicLog.attach(handle);
    const snapshot = attached.snapshot();
    attached.close();
    if (i % 2 === 0) await nextTurn();
    expect([...snapshot]).toEqual(range(log.firstIndex + 1, log.endIndex + 1));
    snapshot.close();
    writer.append(writer.nextIndex + 1);
  }
  expect(entriesOf(log)).toEqual(range(log.firstIndex + 1, 27));
});

test('many logs in one thread do not mix', () => {
  const logs = Array.from({ length: 200 }, (_, i) => {
    const claimed = AtomicLog.claimed(SMALL);
    claimed.writer.append(i);
    return claimed;
  });
  logs.forEach(({ log }, i) => {
    using attached = AtomicLog.attach(log.handle);
    expect(entriesOf(attached)).toEqual([i]);
  });
  for (const { writer, log } of logs) {
    writer.close();
    log.close();
  }
});

/** Drops the objects of a log after `use` had them. */
function dropped<T>(use: (claimed: Claimed<number>) => T): T {
  const claimed = smallLog(6);
  claimed.log.snapshot();
  return use(claimed);
}

testExternal('a log whose objects were all dropped is gone once they have been collected', async () => {
  const usage = (): number => addon.blockUsage().mapped - addon.blockUsage().idle;
  await collectGarbage(3);
  const before = usage();
  for (let i = 0; i < 100; ++i) dropped(() => undefined);
  expect(usage()).toBeGreaterThan(before);
  await collectUntil('the blocks come back', () => usage() <= before);
});

test('a log whose handle was read lives on without its objects, until this thread ends', async () => {
  const handle = dropped(({ log }) => log.handle);
  await collectGarbage(5);
  using attached = AtomicLog.attach(handle);
  expect(entriesOf(attached)).toEqual([1, 2, 3, 4, 5, 6]);
  // The writer was collected too, and gave its claim back.
  await collectUntil('the claim comes back', () => !attached.isWriterClaimed);
  attached.close();
  AtomicLog.attach(handle).close();
});

test('a log whose handle was read is gone when it was closed', () => {
  const { writer, log } = smallLog(6);
  const { handle } = log;
  writer.close();
  log.close();
  expectError(() => AtomicLog.attach(handle), 'ERR_LOG_GONE', /keep the log open until all have attached/);
});

test('a dropped snapshot does not keep a closed log once it has been collected', async () => {
  const { writer, log } = smallLog(6);
  const { handle } = log;
  (() => log.snapshot().at(0))();
  await collectUntil('the pins come back', () => log.stats().pinnedHere === 0);
  writer.close();
  log.close();
  expectError(() => AtomicLog.attach(handle), 'ERR_LOG_GONE', /gone/);
});
