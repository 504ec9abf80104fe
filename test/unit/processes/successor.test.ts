/** A log that takes the place of another at the same path: who has followed that one waits past it. */
import { AtomicLog } from 'atomic-log';

import { expectError, rejection } from '../../support/errors';
import { describeProcesses } from '../../support/processes';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;

/** Makes a log, unless there is one, and appends to it. */
function write(...values: number[]): AtomicLog<number> {
  const log = AtomicLog.openSync(path(), { ...SMALL, create: 'replace-ended' });
  using writer = log.tryClaimWriter()!;
  writer.appendBatch(values);
  return log;
}

function end(log: AtomicLog<number>): void {
  log.tryClaimWriter()!.end();
  log.close();
}

describeProcesses('a log after another at the same path', () => {
  test.each([{ readOnly: true }, { create: false }] as const)('is waited for: %j', async (how) => {
    const first = write(1);
    const { logId: otherThan } = first;
    const waited = AtomicLog.open<number>(path(), { ...how, wait: true, otherThan });
    // Any other is there.
    const other = {
      ...how,
      wait: true,
      otherThan: otherThan!.replace(/./, (digit) => (digit === 'a' ? 'b' : 'a')),
    };
    const same = await AtomicLog.open<number>(path(), other);
    expect(same.logId).toBe(otherThan);
    same.close();
    // Whether it has ended, is not there, or is another one.
    end(first);
    let opened: AtomicLog<number> | undefined;
    void waited.then((log) => (opened = log));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(opened).toBeUndefined();
    const second = write(2);
    const log = await waited;
    expect(log.logId).toBe(second.logId);
    expect([...log.snapshot()]).toEqual([2]);
    for (const each of [log, second]) each.close();
  });

  test('takes no room in the one that is waited past, and a signal ends the wait', async () => {
    const log = AtomicLog.openSync(path(), { ...SMALL, readersMax: 1 });
    const { logId: otherThan } = log;
    log.close();
    const wait = { create: false, wait: true, otherThan, signal: AbortSignal.timeout(100) } as const;
    expect((await rejection(AtomicLog.open(path(), wait))).name).toBe('TimeoutError');
    const again = AtomicLog.openSync(path(), { create: false });
    expect(again.stats().processes).toHaveLength(1);
    again.close();
  });

  test('is told by an id', async () => {
    for (const otherThan of ['', 'A'.repeat(32), 'a'.repeat(31)]) {
      const open = AtomicLog.open(path(), { create: false, wait: true, otherThan });
      expect(await rejection(open)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    }
    const open = AtomicLog.open(path(), { create: false, wait: true, otherThan: 7 as never });
    expect(await rejection(open)).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    const openSync = () =>
      AtomicLog.openSync(path(), { create: false, otherThan: 'a'.repeat(32) } as { create: false });
    expectError(openSync, 'ERR_INVALID_ARG_VALUE', /otherThan is for wait: true/);
  });
});
