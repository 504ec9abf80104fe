import { AtomicLog, type Batch } from 'atomic-log';

import { runInChild } from '../../support/child';
import { expectError } from '../../support/errors';
import { collectUntil } from '../../support/memory';

const options = { retainedCapacity: 8, segmentCapacity: 4 };

interface Seen {
  firstIndex: number;
  lost: number;
  values: number[];
}

const look = (batch: Batch<number>): Seen => ({
  firstIndex: batch.firstIndex,
  lost: batch.lost,
  values: [...batch],
});

/** Everything that a follower delivers until it ends. */
async function collect(iterable: AsyncIterable<Batch<number>>): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const batch of iterable) seen.push(look(batch));
  return seen;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('where a follower begins', () => {
  test("'latest': what is appended after the call", async () => {
    const { writer, log } = AtomicLog.claimed(options);
    writer.appendBatch([0, 1, 2]);
    const result = collect(log.follow({ from: 'latest' }));
    writer.appendBatch([3, 4]);
    writer.end();
    expect(await result).toEqual([{ firstIndex: 3, lost: 0, values: [3, 4] }]);
  });

  test.each([[{}], [{ from: undefined }], [{ from: 'oldest' as const }]])(
    "'oldest', the default: what the window holds (%p)",
    async (start) => {
      const { writer, log } = AtomicLog.claimed(options);
      for (let i = 0; i < 20; ++i) writer.append(i);
      const { firstIndex } = log;
      const result = collect(log.follow(start as object));
      writer.end();
      const [batch] = await result;
      expect(batch).toEqual({
        firstIndex,
        lost: 0,
        values: Array.from({ length: 20 - firstIndex }, (_, i) => i + firstIndex),
      });
    },
  );

  test('an index in the window, before it, and in the future', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    for (let i = 0; i < 20; ++i) writer.append(i);
    const inside = collect(log.follow({ from: 18 }));
    const before = collect(log.follow({ from: 2 }));
    const future = collect(log.follow({ from: 21 }));
    await turn();
    for (let i = 20; i < 23; ++i) {
      writer.append(i);
      await turn();
    }
    const { firstIndex } = log;
    writer.end();
    // How many come at once depends on when the thread is woken.
    expect((await inside)[0]).toMatchObject({ firstIndex: 18, lost: 0 });
    expect((await inside).flatMap(({ values }) => values)).toEqual([18, 19, 20, 21, 22]);
    expect((await before)[0]!.lost).toBeGreaterThan(0);
    expect((await before)[0]!.firstIndex).toBeLessThanOrEqual(firstIndex);
    expect((await future).flatMap(({ values }) => values)).toEqual([21, 22]);
  });
});

describe('batches', () => {
  test('batchEntriesMax bounds them, and nothing is skipped', async () => {
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 4 });
    for (let i = 0; i < 21; ++i) writer.append(i);
    const result = collect(log.follow({ from: 0, batchEntriesMax: 5 }));
    writer.end();
    const batches = await result;
    expect(batches.map(({ values }) => values.length)).toEqual([5, 5, 5, 5, 1]);
    expect(batches.flatMap(({ values }) => values)).toEqual(Array.from({ length: 21 }, (_, i) => i));
  });

  test('chunks() shows just the batch', async () => {
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 100, segmentCapacity: 4 });
    for (let i = 0; i < 10; ++i) writer.append(i);
    const follower = log.follow({ from: 3, batchEntriesMax: 4 });
    const { value } = await follower.next();
    const chunks = (value as Batch<number>).chunks();
    expect(chunks.map((chunk) => [chunk.firstIndex, ...chunk.values])).toEqual([
      [3, 3],
      [4, 4, 5, 6],
    ]);
    expect(chunks[1]!.at(0)).toBe(4);
    await follower.return!();
  });

  test('a batch is over when the next one is asked for', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    writer.appendBatch([1, 2]);
    const follower = log.follow({ from: 0, batchEntriesMax: 1 });
    const first = (await follower.next()).value as Batch<number>;
    expect([...first]).toEqual([1]);
    const second = (await follower.next()).value as Batch<number>;
    expect([...second]).toEqual([2]);
    expect(() => [...first]).toThrow(expect.objectContaining({ code: 'ERR_BATCH_OVER' }));
    await follower.return!();
  });

  test('records', async () => {
    const { writer, log } = AtomicLog.claimed({ ...options, schema: { x: 'f64', n: 'u8' } });
    const follower = log.follow();
    writer.append({ x: 0.5, n: 3 });
    const { value } = await follower.next();
    expect([...(value as Batch<{ x: number; n: number }>)]).toEqual([{ x: 0.5, n: 3 }]);
    await follower.return!();
  });

  test('calls of next() that overlap are answered in order', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    const follower = log.follow({ batchEntriesMax: 1 });
    const results = [follower.next(), follower.next(), follower.next()];
    writer.appendBatch([1, 2]);
    writer.end();
    const [a, b, c] = await Promise.all(results);
    expect([a!.value.firstIndex, b!.value.firstIndex]).toEqual([0, 1]);
    expect(c).toEqual({ done: true, value: undefined });
  });
});

describe('falling behind', () => {
  test('losses are counted exactly', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    const follower = log.follow({ from: 0 });
    for (let i = 0; i < 100; ++i) writer.append(i);
    const { firstIndex } = log;
    const { value } = await follower.next();
    expect(look(value as Batch<number>)).toMatchObject({ firstIndex, lost: firstIndex });
    await follower.return!();
  });

  test("onLost: 'throw' ends the iteration", async () => {
    const { writer, log } = AtomicLog.claimed(options);
    const follower = log.follow({ from: 0, onLost: 'throw' });
    for (let i = 0; i < 100; ++i) writer.append(i);
    await expect(follower.next()).rejects.toMatchObject({ code: 'ERR_ENTRIES_LOST' });
    expect(await follower.next()).toEqual({ done: true, value: undefined });
  });
});

describe('how it ends', () => {
  test('end(): everything is delivered first, then followers finish', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    const result = collect(log.follow());
    writer.write(1);
    writer.end();
    expect(await result).toEqual([{ firstIndex: 0, lost: 0, values: [1] }]);
    expect(log.ended).toBe(true);
    expect(await collect(log.follow())).toEqual([{ firstIndex: 0, lost: 0, values: [1] }]);
    expect(await collect(log.follow({ from: 'latest' }))).toEqual([]);
    expect(() => log.tryClaimWriter()).toThrow(expect.objectContaining({ code: 'ERR_LOG_ENDED' }));
    for (const call of [() => writer.append(2), () => writer.write(2), () => writer.publish()]) {
      expectError(call, 'ERR_LOG_ENDED', /this writer has ended its log.*make a new log/);
    }
  });

  test('abort rejects with the reason, waiting or not', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    const waiting = new AbortController();
    const result = collect(log.follow({ signal: waiting.signal }));
    await turn();
    const reason = new Error('enough');
    waiting.abort(reason);
    await expect(result).rejects.toBe(reason);

    const busy = new AbortController();
    const follower = log.follow({ signal: busy.signal });
    writer.append(1);
    await follower.next();
    busy.abort(reason);
    await expect(follower.next()).rejects.toBe(reason);
    expect(await follower.next()).toEqual({ done: true, value: undefined });
    await expect(log.follow({ signal: AbortSignal.abort(reason) }).next()).rejects.toBe(reason);
  });

  test('abort leaves the batch that was delivered as it is, until the next call', async () => {
    for (const end of ['next', 'return'] as const) {
      const { writer, log } = AtomicLog.claimed({ retainedCapacity: 4, segmentCapacity: 4 });
      writer.appendBatch([1, 2, 3, 4]);
      const controller = new AbortController();
      const follower = log.follow({ from: 'oldest', signal: controller.signal });
      const batch = (await follower.next()).value as Batch<number>;
      const { values } = batch.chunks()[0]!;
      controller.abort(new Error('enough'));
      for (let i = 0; i < 40; ++i) writer.append(-1);
      await turn();
      for (let i = 0; i < 40; ++i) writer.append(-1);
      expect([...values]).toEqual([1, 2, 3, 4]);
      expect([...batch]).toEqual([1, 2, 3, 4]);
      expect(log.stats().pinnedHere).toBeGreaterThan(0);
      if (end === 'next') await expect(follower.next()).rejects.toThrow('enough');
      else await follower.return!();
      expect(() => [...batch]).toThrow(expect.objectContaining({ code: 'ERR_BATCH_OVER' }));
      await turn();
      expect(log.stats().pinnedHere).toBe(0);
    }
  });

  test('an aborted follower that was dropped gives its batch back once it has been collected', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    writer.append(1);
    const controller = new AbortController();
    await (async () => {
      await log.follow({ from: 'oldest', signal: controller.signal }).next();
      controller.abort();
    })();
    await collectUntil('the pins come back', () => log.stats().pinnedHere === 0);
  });

  test('asyncDispose, as return()', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    writer.append(1);
    const follower = log.follow({ from: 'oldest' });
    await follower.next();
    await follower[Symbol.asyncDispose]();
    expect(await follower.next()).toEqual({ done: true, value: undefined });
    await turn();
    expect(log.stats()).toMatchObject({ pinnedHere: 0, readers: [{ followers: [] }] });
  });

  test('one signal ends many followers and waits', async () => {
    const { log } = AtomicLog.claimed(options);
    const controller = new AbortController();
    const { signal } = controller;
    const results = [
      ...Array.from({ length: 30 }, () => collect(log.follow({ signal }))),
      ...Array.from({ length: 30 }, () => log.waitForWriter({ signal })),
    ];
    // Some leave before, which must not take the others' listener along.
    for (let i = 0; i < 30; ++i) await log.follow({ signal }).return!();
    await turn();
    const reason = new Error('enough');
    controller.abort(reason);
    const outcomes = await Promise.allSettled(results);
    expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason as unknown)).toEqual(
      results.map(() => reason),
    );
  });

  test('Node warns of no leak when a signal has many', () => {
    const output = runInChild(`
      const { AtomicLog } = require('atomic-log');
      let warnings = 0;
      process.on('warning', () => ++warnings);
      const { log } = AtomicLog.claimed({ retainedCapacity: 8, segmentCapacity: 4 });
      const { signal } = new AbortController();
      for (let i = 0; i < 30; ++i) {
        log.follow({ signal });
        log.waitForWriter({ signal });
      }
      setTimeout(() => { console.log(warnings); process.exit(); }, 10);
    `);
    expect(output).toBe('0');
  });

  test('break gives back what it pinned', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    writer.appendBatch([1, 2, 3, 4, 5]);
    for await (const batch of log.follow({ from: 0, batchEntriesMax: 1 })) {
      expect(batch.length).toBe(1);
      break;
    }
    await turn();
    expect(log.stats().pinnedHere).toBe(0);
  });

  test('a follower that waits pins nothing', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    const follower = log.follow({ from: 0 });
    writer.append(1);
    await follower.next();
    const pending = follower.next();
    await turn();
    await turn();
    expect(log.stats().pinnedHere).toBe(0);
    await follower.return!();
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  test('closing the log ends its followers, and waits for the writer', async () => {
    const { log } = AtomicLog.claimed(options);
    const result = collect(log.follow());
    const claim = expect(log.waitForWriter()).rejects.toMatchObject({ code: 'ERR_LOG_CLOSED' });
    await turn();
    log.close();
    expect(await result).toEqual([]);
    await claim;
  });
});

describe('waiting for the writer', () => {
  test('the claim goes to who waits, as soon as it is free', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    const claims = [log.waitForWriter(), log.waitForWriter()];
    await turn();
    writer.append(1);
    writer.close();
    const first = await Promise.race(claims);
    expect(first.append(2)).toBe(1);
    expect(log.isWriterClaimed).toBe(true);
    first.close();
    for (const claim of claims) {
      const next = await claim;
      next.close();
    }
    expect(log.isWriterClaimed).toBe(false);
  });

  test('abort and end', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    const controller = new AbortController();
    const aborted = expect(log.waitForWriter({ signal: controller.signal })).rejects.toThrow('no longer');
    const outlived = expect(log.waitForWriter()).rejects.toMatchObject({ code: 'ERR_LOG_ENDED' });
    await turn();
    controller.abort(new Error('no longer'));
    await aborted;
    writer.end();
    await outlived;
  });

  test('a claim that is free and cannot be got keeps no timer, and no abort, from its turn', async () => {
    const { writer, log } = AtomicLog.claimed(options);
    writer.close();
    // As when the system has no lock to give.
    let tries = 0;
    jest.spyOn(log, 'tryClaimWriter').mockImplementation(() => {
      if (++tries > 10_000) throw new Error('it tries without end');
      return null;
    });
    const controller = new AbortController();
    const waiting = log.waitForWriter({ signal: controller.signal });
    setTimeout(() => controller.abort(new Error('no longer')), 5);
    await expect(waiting).rejects.toThrow('no longer');
  });
});

describe('waitSync', () => {
  const here = { allowMainThread: true };

  test('ready, timeout, ended', () => {
    const { writer, log } = AtomicLog.claimed(options);
    expect(log.waitSync(0, 0, here)).toBe('timeout');
    expect(log.waitSync(0, 60, here)).toBe('timeout');
    writer.append(1);
    expect(log.waitSync(0, 0, here)).toBe('ready');
    expect(log.waitSync(1, 1, here)).toBe('timeout');
    writer.end();
    expect(log.waitSync(0, Infinity, here)).toBe('ready');
    expect(log.waitSync(1, Infinity, here)).toBe('ended');
  });

  test('refuses to block the main thread, and bad arguments', () => {
    const log = new AtomicLog(options);
    expect(() => log.waitSync(0, 1)).toThrow(expect.objectContaining({ code: 'ERR_MAIN_THREAD' }));
    expect(() => log.waitSync(-1, 1, here)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => log.waitSync('1' as any, 1, here)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
    expect(() => log.waitSync(0, NaN, here)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => log.waitSync(0, '5' as any, here)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    );
  });
});

test('bad options', () => {
  const log = new AtomicLog(options);
  const codes = (bad: unknown): unknown => {
    try {
      log.follow(bad as object);
    } catch (error) {
      return (error as { code: string }).code;
    }
    return 'none';
  };
  expect(codes(null)).toBe('ERR_INVALID_ARG_TYPE');
  expect(codes({ from: 'newest' })).toBe('ERR_INVALID_ARG_TYPE');
  expect(codes({ from: -1 })).toBe('ERR_OUT_OF_RANGE');
  expect(codes({ from: 1.5 })).toBe('ERR_OUT_OF_RANGE');
  expect(codes({ batchEntriesMax: 0 })).toBe('ERR_OUT_OF_RANGE');
  expect(codes({ batchEntriesMax: '3' })).toBe('ERR_INVALID_ARG_TYPE');
  expect(codes({ onLost: 'ignore' })).toBe('ERR_INVALID_ARG_VALUE');
  expect(codes({ signal: {} })).toBe('ERR_INVALID_ARG_TYPE');
  log.close();
  expect(codes({})).toBe('ERR_LOG_CLOSED');
});
