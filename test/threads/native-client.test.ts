// Native threads that write and read, through another addon that uses the
// installed headers. Allowed at any moment: whole entries without a hole, one
// holder of the claim. No order of closing, ending and terminating may crash.
import { AtomicLog, type NativeHandle } from 'atomic-log';

import { expectError } from '../support/errors';
import { describeExternal } from '../support/mapping';
import { collectGarbage, collectUntil } from '../support/memory';
import { has } from '../support/runtime';
import { ended, firstMessage, startWorker, tornDown, valueOf } from './helpers';
import { binary, CLAIMED, client, COLUMNS, ENDED, GONE, INVALID, OK } from './native-client';

const FOREVER = 2 ** 31;
const options = { retainedCapacity: 4096, segmentCapacity: 64 };
function expectValues(log: AtomicLog<number>): void {
  const snapshot = log.snapshot();
  let index = snapshot.firstIndex;
  for (const value of snapshot) if (value !== valueOf(index++)) throw new Error(`entry ${index - 1}`);
  expect(index).toBe(snapshot.endIndex);
  snapshot.close();
}

/** Waits until native code has got so far. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

// Needs a C++ compiler, and a log of ordinary memory: a shared log has no native handle.
(binary === undefined ? describe.skip : describeExternal)('native threads', () => {
  afterEach(() => {
    client.stop();
    client.join();
    client.closeWriter();
  });

  describe('what is no handle of a living log is refused', () => {
    test('anything else that JavaScript can make', () => {
      const log = new AtomicLog(options);
      const handle = log.nativeHandle;
      expect(client.attach(handle)).toBe(OK);
      const impostors: unknown[] = [
        undefined,
        null,
        0,
        1n,
        'handle',
        Symbol('handle'),
        true,
        () => handle,
        {},
        [handle],
        new ArrayBuffer(64),
        Object.create(handle),
        { ...handle },
        new Proxy(handle, {}),
        structuredClone(handle),
        Object.freeze({ __proto__: handle }),
        log,
        log.handle,
        structuredClone(log.handle),
        new WeakRef(handle),
      ];
      for (const impostor of impostors) expect(client.attach(impostor)).toBe(INVALID);
      // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- called without arguments
      expect((client.attach as Function)()).toBe(INVALID);
    });

    test('it shows nothing and takes nothing', () => {
      const log = new AtomicLog(options);
      const handle = log.nativeHandle as object;
      expect(log.nativeHandle).toBe(handle);
      expect(Reflect.ownKeys(handle)).toEqual([]);
      expect(Object.isFrozen(handle)).toBe(true);
      expect(JSON.stringify(handle)).toBe('{}');
    });

    test('one whose log is gone, and the handle of a closed object', () => {
      const log = new AtomicLog(options);
      const handle = log.nativeHandle;
      const other = AtomicLog.attach(log.handle);
      log.close();
      expectError(() => log.nativeHandle, 'ERR_LOG_CLOSED', /closed/);
      expect(client.attach(handle)).toBe(OK);
      other.close();
      expect(client.attach(handle)).toBe(GONE);
      expect(client.produce(handle, 1, 1, false)).toBe(GONE);
    });

    test('but one whose log object was dropped is good: the log lives until this thread ends', async () => {
      const drop = (): { handle: NativeHandle; weak: WeakRef<object> } => {
        const log = new AtomicLog(options);
        return { handle: log.nativeHandle, weak: new WeakRef(log) };
      };
      const { handle, weak } = drop();
      await collectUntil('the log object is collected', () => weak.deref() === undefined);
      await collectGarbage(5);
      expect(client.attach(handle)).toBe(OK);
    });

    test('one whose log has other columns', () => {
      const number = new AtomicLog({ ...options, type: 'i32' });
      const record = new AtomicLog({ ...options, schema: { a: 'f64', b: 'f64' } });
      expect(client.openWriter(number.nativeHandle)).toBe(COLUMNS);
      expect(client.openWriter(record.nativeHandle)).toBe(COLUMNS);
      expect(record.isWriterClaimed).toBe(false);
    });

    test('the handle may be collected while native code works', async () => {
      const start = (): WeakRef<NativeHandle> => {
        const log = new AtomicLog(options);
        expect(client.produce(log.nativeHandle, FOREVER, 8, false)).toBe(OK);
        const weakHandle = new WeakRef(log.nativeHandle);
        log.close();
        return weakHandle;
      };
      const weak = start();
      await collectUntil('the handle is collected', () => weak.deref() === undefined);
      client.stop();
      expect(client.join().produced).toBeGreaterThan(0);
    });
  });

  test('a native thread writes; followers and blocked threads everywhere are woken, and read it all', async () => {
    const log = new AtomicLog(options);
    const followers = [
      startWorker('follow', { handle: log.handle }),
      startWorker('follow', { handle: log.handle }),
    ];
    const waiter = startWorker('waitSync', { handle: log.handle });
    await Promise.all([...followers, waiter].map(firstMessage));
    const results = followers.map(firstMessage);
    const waited = firstMessage(waiter);
    const count = 200_000;
    expect(client.produce(log.nativeHandle, count, 7, true)).toBe(OK);
    let next = 0;
    for await (const batch of log.follow({ from: 0 })) {
      next += batch.lost;
      expect(batch.firstIndex).toBe(next);
      for (const value of batch) if (value !== valueOf(next++)) throw new Error(`entry ${next - 1}`);
    }
    expect(next).toBe(count);
    for (const { seen, lost } of (await Promise.all(results)) as { seen: number; lost: number }[]) {
      expect(seen + lost).toBe(count);
    }
    expect(await waited).toBe(count);
    expect(client.join().produced).toBe(count);
    expect(log.ended).toBe(true);
    expect(client.openWriter(log.nativeHandle)).toBe(ENDED);
  });

  test('JavaScript writes, a native thread reads it all', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    expect(client.consume(log.nativeHandle)).toBe(OK);
    const batch = new Float64Array(16);
    for (let i = 0; i < 2000; ++i) {
      for (let j = 0; j < batch.length; ++j) batch[j] = valueOf(writer.nextIndex + j);
      writer.appendBatch(batch);
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    writer.end();
    const { entries, lost, wrong, batches } = client.join();
    expect({ total: entries + lost, wrong }).toEqual({ total: 32_000, wrong: 0 });
    expect(batches).toBeGreaterThan(1);
    expect(log.stats().pinnedSegments).toBe(0);
  });

  test('there is one claim for all languages, and each goes on where the last one published', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    writer.append(valueOf(0));
    expect(client.produce(log.nativeHandle, 1, 1, false)).toBe(CLAIMED);
    writer.write(-1);
    writer.close();
    expect(client.produce(log.nativeHandle, 1000, 3, false)).toBe(OK);
    const next = await log.waitForWriter();
    expect(next.nextIndex).toBe(1001);
    expect(log.endIndex).toBe(1001);
    next.append(valueOf(1001));
    expectValues(log);
    next.close();
    expect(client.openWriter(log.nativeHandle)).toBe(OK);
    expect(log.isWriterClaimed).toBe(true);
    expect(log.tryClaimWriter()).toBeNull();
    client.closeWriter();
    log.tryClaimWriter()!.close();
  });

  test('the log lives on while native code has it, whatever JavaScript closes', async () => {
    const log = new AtomicLog(options);
    const { handle, nativeHandle } = log;
    expect(client.produce(nativeHandle, FOREVER, 8, false)).toBe(OK);
    await until(() => log.endIndex > 10_000);
    const snapshot = log.snapshot();
    const kept = [...snapshot];
    log.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([...snapshot]).toEqual(kept);
    snapshot.close();

    const again = AtomicLog.attach<number>(handle);
    const seen = again.endIndex;
    await until(() => again.endIndex > seen);
    expectValues(again);
    again.close();

    expect(client.attach(nativeHandle)).toBe(OK);
    client.stop();
    client.join();
    expect(client.attach(nativeHandle)).toBe(GONE);
    expectError(() => AtomicLog.attach(handle), 'ERR_LOG_GONE', /gone/);
  });

  test('the worker that made the log and follows it is terminated while another thread writes', async () => {
    for (let round = 0; round < 10; ++round) {
      const worker = startWorker('makeAndFollow', {});
      const log = AtomicLog.attach<number>((await firstMessage(worker)) as AtomicLog<number>['handle']);
      expect(client.produce(log.nativeHandle, FOREVER, 1 + round, false)).toBe(OK);
      await until(() => log.endIndex > 1000);
      await worker.terminate();
      const seen = log.endIndex;
      await until(() => log.endIndex > seen);
      expectValues(log);
      client.stop();
      client.join();
      expect(log.isWriterClaimed).toBe(false);
      log.close();
    }
  });

  test('followers are terminated at any moment while a native thread wakes them', async () => {
    const log = new AtomicLog(options);
    const canBlock = has('terminating a busy worker');
    expect(client.produce(log.nativeHandle, FOREVER, 16, false)).toBe(OK);
    const lives = async (i: number): Promise<void> => {
      const worker = startWorker(i % 2 === 0 || !canBlock ? 'follow' : 'waitSync', { handle: log.handle });
      await firstMessage(worker);
      await new Promise((resolve) => setTimeout(resolve, i % 7));
      await worker.terminate();
    };
    for (let i = 0; i < 24; i += 2) await Promise.all([lives(i), lives(i + 1)]);
    client.stop();
    client.join();
    expectValues(log);
    await tornDown(() => log.stats().readers.length === 1);
    expect(log.stats().readers.map(({ threadId }) => threadId)).toEqual([0]);
  });

  test('the environment whose native threads write and read is terminated', async () => {
    const log = new AtomicLog(options);
    const other = AtomicLog.claimed(options);
    for (let round = 0; round < 10; ++round) {
      const worker = startWorker('nativeThreads', {
        handle: log.handle,
        consumedHandle: other.log.handle,
        addonPath: binary,
      });
      expect(await firstMessage(worker)).toEqual([OK, OK]);
      for (let i = 0; i < 1000; ++i) other.writer.append(valueOf(other.writer.nextIndex));
      await new Promise((resolve) => setTimeout(resolve, round % 4));
      await worker.terminate();
      await ended(worker);
      await tornDown(() => !log.isWriterClaimed && log.stats().readers.length === 1);
      expect(log.isWriterClaimed).toBe(false);
      expect(log.stats().readers).toHaveLength(1);
    }
    expectValues(log);
    expect(log.endIndex).toBeGreaterThan(0);
  });

  test('statistics know native readers by having no thread', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    expect(client.consume(log.nativeHandle)).toBe(OK);
    await until(() => log.stats().readers.length === 2);
    expect(log.stats().readers[1]).toEqual({
      threadId: undefined,
      pinnedSegments: 0,
      pinnedBytes: 0,
      followers: [],
    });
    writer.end();
    client.join();
    expect(log.stats().readers).toHaveLength(1);
  });

  test('pinnedBytesMax stops native writers too, until readers let go', async () => {
    const log = new AtomicLog({ ...options, pinnedBytesMax: 0 });
    expect(client.produce(log.nativeHandle, FOREVER, 8, false)).toBe(OK);
    await until(() => log.endIndex > 10_000);
    const snapshot = log.snapshot();
    // The window and one segment for the roll are all there is; those that are pinned cannot be used again.
    const capacity = options.segmentCapacity;
    const segments = options.retainedCapacity / capacity + 2;
    const end = (snapshot.chunks()[0]!.sequence + segments) * capacity;
    await until(() => log.endIndex >= end);
    // It stands: a second look a while later finds nothing new.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(log.endIndex).toBe(end);
    snapshot.close();
    await until(() => log.endIndex > end);
    expectValues(log);
  });
});
