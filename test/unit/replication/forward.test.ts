import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  forward,
  Wal,
  WalReader,
  type ForwardOptions,
  type ForwardProgress,
  type WalPosition,
} from 'atomic-log';
import fc from 'fast-check';

import { until } from '../../support/servers';
import { sized } from '../../support/sizes';
import { MemoryCursor, MemoryTarget, type Outcome } from '../../support/targets';
import { entry, range, SMALL_FILES } from '../../support/wals';

let directory: string;
let wal: Wal;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'forward-'));
  wal = Wal.openSync(join(directory, 'log'), SMALL_FILES);
});

afterEach(() => {
  wal.closeSync();
  rmSync(directory, { recursive: true, force: true });
});

/** Quick retries, and whatever a test says. */
function start(target: MemoryTarget, options: Partial<ForwardOptions> = {}): Promise<ForwardProgress> {
  return forward(wal, { target, retryMs: 0, ...options });
}

/** Appends up to there, each third one as a batch with the two after it. */
async function append(last: number): Promise<void> {
  while (wal.lastLsn < last) {
    const lsn = wal.lastLsn + 1;
    if (lsn % 3 === 0 && lsn + 2 <= last) await wal.appendBatch([entry(lsn), entry(lsn + 1), entry(lsn + 2)]);
    else await wal.append(entry(lsn));
  }
}

/** Runs until all that the log has is acknowledged, then closes the log. */
async function forwardAll(
  target: MemoryTarget,
  options: Partial<ForwardOptions> = {},
): Promise<ForwardProgress> {
  const last = wal.durableLsn;
  return start(target, {
    ...options,
    onProgress: (progress) => {
      options.onProgress?.(progress);
      if (progress.acknowledged >= last) void wal.close();
    },
  });
}

function expectStored(target: MemoryTarget, first: number, last: number): void {
  expect(target.stored.map(({ lsn }) => lsn)).toEqual(range(first, last));
  for (const { lsn, data } of target.stored)
    if (!entry(lsn).equals(data)) throw new Error(`entry ${lsn} is another`);
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'resolved',
    (error: { code?: unknown }) => error.code ?? error,
  );
}

describe('what is carried', () => {
  test('what is there, then what comes, in order and once', async () => {
    await append(20);
    const target = new MemoryTarget();
    const progress: ForwardProgress[] = [];
    const done = start(target, {
      onProgress: (now) => {
        progress.push(now);
        if (now.acknowledged === 40) void wal.close();
      },
    });
    await append(40);
    expect(await done).toEqual({ sent: 40, acknowledged: 40, committed: 0, lag: 0 });
    expectStored(target, 1, 40);
    expect(target.begins).toEqual([1]);
    for (const { sent, acknowledged, lag } of progress) {
      expect(acknowledged).toBeLessThanOrEqual(sent);
      expect(lag).toBeGreaterThanOrEqual(0);
    }
  });

  test('from another process, by a reader', async () => {
    await append(30);
    const target = new MemoryTarget();
    const reader = WalReader.open(wal.path, { pollMs: 1 });
    const options = {
      target,
      onProgress: ({ acknowledged }: ForwardProgress) => acknowledged === 60 && reader.close(),
    };
    const done = forward(reader, options as ForwardOptions);
    await append(60);
    wal.closeSync();
    await done;
    expectStored(target, 1, 60);
  });

  test('whole batches, of no more entries and bytes than asked for', async () => {
    await append(100);
    const inside = [...wal.entries()]
      .filter(({ lsn, batch }) => batch && lsn > batch.first)
      .map(({ lsn }) => lsn);
    const target = new MemoryTarget();
    await forwardAll(target, { batchEntries: 4 });
    expectStored(target, 1, 100);
    for (const lsns of target.sent) {
      expect(lsns.length).toBeLessThanOrEqual(4);
      expect(inside).not.toContain(lsns[0]);
    }
  });

  test('a batch that is larger goes in one call', async () => {
    await wal.append(entry(1));
    await wal.appendBatch(range(2, 11).map((lsn) => entry(lsn)));
    await wal.append(entry(12));
    const target = new MemoryTarget();
    await forwardAll(target, { batchBytes: 1 });
    expect(target.sent).toEqual([[1], range(2, 11), [12]]);
  });

  test.each([3, 4])(
    'a batch that was cut to its first entries goes as what is left of it: up to %i',
    async (last) => {
      await wal.append(entry(1));
      await wal.appendBatch(range(2, 6).map((lsn) => entry(lsn)));
      await wal.truncateAfter(last);
      const target = new MemoryTarget();
      const batches: unknown[] = [];
      const send = target.send.bind(target);
      target.send = (entries) => {
        for (const { batch } of entries) batches.push(batch);
        return send(entries);
      };
      const left = { first: 2, count: last - 1 };
      const done = start(target, {
        onProgress: ({ acknowledged }) => void (acknowledged > last && wal.close()),
      });
      await until('it is there, without anything after it', () => target.lastLsn === last);
      await wal.appendBatch([entry(last + 1), entry(last + 2)]);
      await done;
      expectStored(target, 1, last + 2);
      const next = { first: last + 1, count: 2 };
      expect(batches).toEqual([undefined, ...range(2, last).map(() => left), next, next]);
    },
  );

  test('so many calls are under way, and no more', async () => {
    await append(60);
    const target = new MemoryTarget();
    await forwardAll(target, { batchEntries: 1, inFlight: 3 });
    expect(target.underWayMax).toBe(3);
  });

  test('a log that begins later begins with its first entry', async () => {
    await append(400);
    await wal.checkpoint(300);
    const { firstLsn } = wal;
    expect(firstLsn).toBeGreaterThan(1);
    const target = new MemoryTarget();
    await forwardAll(target);
    expect(target.begins).toEqual([firstLsn]);
    expectStored(target, firstLsn, 400);
  });
});

describe('failures', () => {
  test('each is told, and tried again later and later until something is acknowledged', async () => {
    await append(3);
    const target = new MemoryTarget();
    target.outcomes.push('refused', 'refused', 'refused');
    const attempts: number[] = [];
    const delays: number[] = [];
    await forwardAll(target, {
      retryMs: 2,
      retryMsMax: 5,
      onRetry: (error, { attempt, delayMs }) => {
        expect(error).toEqual(new Error('send: refused'));
        attempts.push(attempt);
        delays.push(delayMs);
      },
    });
    expect(attempts).toEqual([1, 2, 3]);
    [2, 4, 5].forEach((longest, i) => {
      expect(delays[i]).toBeGreaterThanOrEqual(longest / 2);
      expect(delays[i]).toBeLessThanOrEqual(longest);
    });
    expectStored(target, 1, 3);
  });

  test('after the first one nothing more is sent before the target was asked again', async () => {
    await append(60);
    const target = new MemoryTarget();
    target.outcomes.push('stored', 'refused');
    await forwardAll(target, { batchEntries: 1, inFlight: 4 });
    // What was under way had been sent behind it.
    const again = target.sent.findIndex(([lsn], i) => i > 0 && lsn! <= target.sent[i - 1]![0]!);
    expect(target.sent[again]).toEqual([2]);
    expect(again).toBeLessThanOrEqual(5);
    expectStored(target, 1, 60);
  });

  test('what onRetry throws ends it: the way to give up', async () => {
    await append(3);
    const target = new MemoryTarget();
    target.answers.push('fails', 'fails');
    const giveUp = (_: unknown, { attempt }: { attempt: number }) => {
      if (attempt === 2) throw new RangeError('enough');
    };
    await expect(start(target, { onRetry: giveUp })).rejects.toThrow(new RangeError('enough'));
    expect(target.sent).toEqual([]);
  });

  test.each([
    ['stored', 'position', 'send', 'begin'],
    ['thrown at once', 'position', 'send', 'begin'],
  ])('%s: a target that fails with a code of its own ends it', async (how, ...calls) => {
    await append(3);
    for (const call of calls) {
      const target = new MemoryTarget();
      const refusal = Object.assign(new Error('never'), { code: 'ERR_TARGET_REFUSED' });
      const fails = () => {
        if (how === 'thrown at once') throw refusal;
        return Promise.reject(refusal);
      };
      Object.assign(target, { [call]: fails });
      await expect(start(target)).rejects.toBe(refusal);
    }
  });

  test.each(['onProgress', 'onRetry'])(
    'what %s rejects with, as an async function, ends it',
    async (name) => {
      await append(3);
      const target = new MemoryTarget();
      target.answers.push('fails');
      const rejects = () => Promise.reject(new RangeError('no'));
      const options = { [name]: rejects, retryMs: 5 };
      if (name === 'onRetry') target.position = () => Promise.reject(new Error('no answer'));
      await expect(start(target, options)).rejects.toThrow(new RangeError('no'));
    },
  );

  test('what onProgress throws ends it', async () => {
    await append(3);
    const onProgress = () => {
      throw new RangeError('no');
    };
    await expect(start(new MemoryTarget(), { onProgress })).rejects.toThrow(new RangeError('no'));
  });
});

describe('what the target has, compared with the log', () => {
  const held = (target: MemoryTarget, lsn: number, data = entry(lsn), position = '' as WalPosition) =>
    target.stored.push({ lsn, data, position });

  test('more than the log has', async () => {
    await append(3);
    const target = new MemoryTarget();
    held(target, 5);
    await expect(start(target)).rejects.toMatchObject({ code: 'ERR_TARGET_AHEAD', lsn: 5, lastLsn: 3 });
    expect(target.sent).toEqual([]);
  });

  test('less than the log has still', async () => {
    await append(400);
    await wal.checkpoint(300);
    const target = new MemoryTarget();
    held(target, 5);
    const { firstLsn } = wal;
    await expect(start(target)).rejects.toMatchObject({ code: 'ERR_TARGET_BEHIND', lsn: 5, firstLsn });
  });

  test('nothing, although the cursor stands on an entry that is gone', async () => {
    await append(400);
    const cursor = new MemoryCursor();
    cursor.position = wal.get(200)!.position;
    await wal.checkpoint(300);
    await expect(start(new MemoryTarget(), { cursor })).rejects.toMatchObject({
      code: 'ERR_TARGET_BEHIND',
      lsn: 0,
    });
  });

  test('other bytes', async () => {
    await append(3);
    const target = new MemoryTarget();
    held(target, 3, Buffer.from('another'));
    await expect(start(target)).rejects.toMatchObject({ code: 'ERR_TARGET_DIFFERS', lsn: 3 });
  });

  test.each(['nonsense', '2:1:00000000:00000000000000000000000000000000', '9007199254740993:1:0:0'])(
    'a position that is none of the log: %s',
    async (position) => {
      await append(3);
      const target = new MemoryTarget();
      held(target, 2, undefined, position);
      expect(await codeOf(start(target))).toBe('ERR_TARGET_DIFFERS');
    },
  );

  test('the position of another entry', async () => {
    await append(3);
    const target = new MemoryTarget();
    held(target, 2, undefined, wal.get(1)!.position);
    expect(await codeOf(start(target))).toBe('ERR_TARGET_DIFFERS');
  });

  test('an entry that was taken back, of which the log has another', async () => {
    await append(4);
    const target = new MemoryTarget();
    held(target, 4, entry(4), wal.get(4)!.position);
    await wal.truncateAfter(3);
    // With the same bytes, over the same past.
    await wal.append(entry(4));
    expect(await codeOf(start(target))).toBe('ERR_TARGET_DIFFERS');
  });

  test.each([
    ['an error when the target has what was taken back', true, /^ERR_TARGET_(AHEAD|DIFFERS)$/],
    ['it goes on when the target has not', false, /^resolved$/],
  ])('truncated meanwhile: %s', async (_, isKept, outcome) => {
    await append(10);
    const target = new MemoryTarget();
    const onProgress = ({ acknowledged }: ForwardProgress) => void (acknowledged === 16 && wal.closeSync());
    const done = codeOf(start(target, { onProgress }));
    while (target.lastLsn < 10) await new Promise((resolve) => setImmediate(resolve));
    await wal.truncateAfter(9);
    if (!isKept) target.stored.splice(-1);
    await append(16);
    expect(await done).toMatch(outcome);
    if (!isKept) expectStored(target, 1, 16);
  });

  test.each([
    [null, /position\(\) must tell.*got null/],
    [7, /position\(\) must tell.*got 7/],
    [{ lsn: 2n }, /got 2n|got 2/],
    [{ lsn: 1.5 }, /got 1\.5/],
    [{ lsn: -1 }, /got -1/],
    [{ lsn: 2, check: 7 }, /check must be/],
    [{ lsn: 2, check: null }, /check must be/],
    [{ lsn: 2, before: 1 }, /before must be/],
    [{ lsn: 2, before: [null] }, /must tell/],
  ])('what a target tells that is none: %#', async (told, message) => {
    await append(3);
    const target = Object.assign(new MemoryTarget(), { position: () => Promise.resolve(told as any) });
    const done = start(target, { onRetry: (error) => expect(String(error)).toBe('never tried again') });
    await expect(done).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });
    await expect(done).rejects.toThrow(message);
  });
});

describe('the cursor', () => {
  test('follows what is acknowledged, and is there in the end', async () => {
    await append(30);
    const cursor = new MemoryCursor();
    const told: number[] = [];
    const target = Object.assign(new MemoryTarget(), {
      committed: (lsn: number) => Promise.resolve(told.push(lsn)),
    });
    const last = await forwardAll(target, { cursor });
    expect(last.committed).toBe(30);
    expect(cursor.commits.at(-1)).toBe(30);
    expect(told).toEqual(cursor.commits);
    expect(cursor.commits).toEqual([...cursor.commits].sort((a, b) => a - b));
  });

  test('moves while it runs, without anything more to send', async () => {
    await append(30);
    const cursor = new MemoryCursor();
    await start(new MemoryTarget(), {
      cursor,
      onProgress: ({ committed }) => void (committed === 30 && wal.closeSync()),
    });
    expect(cursor.commits.at(-1)).toBe(30);
  });

  test('waits for what is safe', async () => {
    await append(30);
    const cursor = new MemoryCursor();
    const last = await forwardAll(new MemoryTarget(), { cursor, safeAfterMs: 60_000 });
    expect(last).toMatchObject({ acknowledged: 30, committed: 0 });
    expect(cursor.commits).toEqual([]);
  });

  test('moves back to what the target still has', async () => {
    await append(30);
    const cursor = new MemoryCursor();
    const target = new MemoryTarget();
    await start(target, {
      cursor,
      onProgress: ({ committed }) => void (committed === 30 && wal.closeSync()),
    });
    wal = Wal.openSync(wal.path);
    target.answers.push(10);
    await forwardAll(target, { cursor });
    expect(cursor.commits).toContain(20);
    expect(cursor.commits.at(-1)).toBe(30);
    expectStored(target, 1, 30);
  });

  test('a commit that fails ends it', async () => {
    await append(3);
    const cursor = new MemoryCursor();
    cursor.commit = () => Promise.reject(new RangeError('no room'));
    await expect(start(new MemoryTarget(), { cursor })).rejects.toThrow(new RangeError('no room'));
  });
});

describe('the end', () => {
  test.each([
    'before',
    'waiting for entries',
    'waiting for the target',
    'waiting to try again',
    'waiting for room',
  ])('by a signal: %s', async (when) => {
    await append(3);
    const controller = new AbortController();
    const { signal } = controller;
    const target = new MemoryTarget();
    const never = () => new Promise<never>(() => {});
    if (when === 'waiting for the target') target.position = never;
    if (when === 'waiting for room') target.send = never;
    if (when === 'waiting to try again') target.answers.push('fails');
    if (when === 'before') controller.abort(new RangeError('stop'));
    const done = start(target, { signal, inFlight: 1, batchEntries: 1, retryMs: 60_000, retryMsMax: 60_000 });
    const ended = expect(done).rejects.toThrow(new RangeError('stop'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort(new RangeError('stop'));
    await ended;
  });

  test('by a signal, while the target is told of a commit', async () => {
    await append(3);
    const controller = new AbortController();
    let isWaiting = false;
    const committed = () => {
      isWaiting = true;
      return new Promise<never>(() => {});
    };
    const target = Object.assign(new MemoryTarget(), { committed });
    const done = start(target, { cursor: new MemoryCursor(), signal: controller.signal });
    const ended = expect(done).rejects.toThrow(new RangeError('stop'));
    await until('it commits', () => isWaiting);
    controller.abort(new RangeError('stop'));
    await ended;
  });

  test('a cursor that rejects with nothing ends it', async () => {
    await append(3);
    const cursor = new MemoryCursor();
    cursor.commit = () => Promise.reject(undefined as unknown as Error);
    expect(await start(new MemoryTarget(), { cursor }).catch((error: unknown) => [error])).toEqual([
      undefined,
    ]);
  });

  test('by closing the log while the target fails: what is not acknowledged is the lag', async () => {
    await append(3);
    const target = new MemoryTarget();
    target.send = () => Promise.reject(new Error('down'));
    const onRetry = (_: unknown, { attempt }: { attempt: number }) => void (attempt === 3 && wal.closeSync());
    expect(await start(target, { onRetry })).toMatchObject({ acknowledged: 0, lag: 3 });
  });

  test('what is acknowledged after an abort is told to no one', async () => {
    await append(3);
    const controller = new AbortController();
    const target = new MemoryTarget();
    let acknowledge!: () => void;
    target.send = () => new Promise((resolve) => (acknowledge = resolve));
    const onProgress = jest.fn();
    const cursor = new MemoryCursor();
    const done = codeOf(start(target, { signal: controller.signal, onProgress, cursor }));
    while (acknowledge === undefined) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await done;
    acknowledge();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(onProgress).not.toHaveBeenCalled();
    expect(cursor.commits).toEqual([]);
  });
});

test.each([
  [{ follow: 1 }, {}, 'ERR_INVALID_ARG_TYPE', 'source.follow must be a function; got 1'],
  [
    undefined,
    { target: {} },
    'ERR_INVALID_ARG_TYPE',
    'options.target.position must be a function; got undefined',
  ],
  [undefined, {}, 'ERR_INVALID_ARG_TYPE', 'options.target must be an object; got undefined'],
  [undefined, { tarjet: {} }, 'ERR_INVALID_ARG_VALUE', 'the nearest one is target'],
  [undefined, { inFlight: 0 }, 'ERR_OUT_OF_RANGE', 'options.inFlight must be an integer from 1'],
  [undefined, { safeAfterMs: Infinity }, 'ERR_OUT_OF_RANGE', 'at most 2147483647 milliseconds'],
  [undefined, { cursor: {} }, 'ERR_INVALID_ARG_TYPE', 'options.cursor.commit must be a function'],
  [undefined, { onRetry: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.onRetry must be a function; got 1'],
  [undefined, { signal: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.signal must be an AbortSignal; got 1'],
])('what is refused: %#', async (source, options, code, message) => {
  const isPart = Object.keys(options).some((name) => name !== 'target' && name !== 'tarjet');
  const given = isPart ? { target: new MemoryTarget(), ...options } : options;
  const error: unknown = await forward((source ?? wal) as any, given as any).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
});

describe('whatever fails', () => {
  const RUNS = sized('FORWARD_RUNS', { small: 60, long: 2000 });
  const outcome = fc.constantFrom<Outcome>('stored', 'stored', 'refused', 'unheard', 'half', 'late');
  const answer = fc.oneof(fc.constant<number | 'fails'>('fails'), fc.nat(30));

  test('every entry is there once, in order, and the cursor was never ahead of what is acknowledged', async () => {
    await append(100);
    await fc.assert(
      fc.asyncProperty(
        fc.array(outcome, { maxLength: 60 }),
        fc.array(answer, { maxLength: 20 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 9 }),
        async (outcomes, answers, inFlight, batchEntries) => {
          const target = new MemoryTarget();
          target.outcomes.push(...outcomes);
          target.answers.push(...answers);
          const cursor = new MemoryCursor();
          const commit = cursor.commit.bind(cursor);
          cursor.commit = (position) => {
            // On the oldest entry it holds all of them, also one that the target has lost.
            expect(Number(position.split(':')[0])).toBeLessThanOrEqual(Math.max(target.lastLsn, 1));
            return commit(position);
          };
          const reader = WalReader.open(wal.path);
          wal.syncSync();
          const options = { target, cursor, inFlight, batchEntries, retryMs: 0 };
          const onProgress = ({ acknowledged, sent }: ForwardProgress): void => {
            expect(acknowledged).toBeLessThanOrEqual(sent);
            if (acknowledged === 100) reader.close();
          };
          await forward(reader, { ...options, onProgress });
          expectStored(target, 1, 100);
          expect(cursor.commits.at(-1)).toBe(100);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
