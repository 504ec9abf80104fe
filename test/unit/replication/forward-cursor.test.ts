/** forward() with a cursor of the log: what a checkpoint keeps for it, and what happens to both. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  forward,
  Wal,
  WalCursor,
  WalReader,
  type ForwardOptions,
  type ForwardProgress,
  type WalError,
} from 'atomic-log';
import fc from 'fast-check';

import { sized } from '../../support/sizes';
import { MemoryTarget } from '../../support/targets';
import { entry, fill, range, SMALL_FILES } from '../../support/wals';

let directory: string;
let wal: Wal;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'forward-cursor-'));
  wal = Wal.openSync(join(directory, 'log'), SMALL_FILES);
});

afterEach(() => {
  wal.closeSync();
  rmSync(directory, { recursive: true, force: true });
});

const at = (lsn: number) => wal.get(lsn)!.position;

/** As if someone had sent them. */
function store(target: MemoryTarget, first: number, last: number): void {
  for (const { lsn, data, position } of wal.entries({ from: first, to: last }))
    target.stored.push({ lsn, data: Buffer.from(data), position });
}

function expectStored(target: MemoryTarget, first: number, last: number): void {
  expect(target.stored.map(({ lsn }) => lsn)).toEqual(range(first, last));
  for (const { lsn, data } of target.stored) if (!entry(lsn).equals(data)) throw new Error(`entry ${lsn}`);
}

/** A forward() that a test ends. */
class Run {
  readonly #controller = new AbortController();
  readonly done: Promise<ForwardProgress | WalError>;
  progress: ForwardProgress = { sent: 0, acknowledged: 0, committed: 0, lag: 0 };
  readonly retries: WalError[] = [];
  hasEnded = false;

  constructor(target: MemoryTarget, options: Partial<ForwardOptions>, source: Wal | WalReader = wal) {
    this.done = forward(source, {
      target,
      retryMs: 0,
      signal: this.#controller.signal,
      onRetry: (error) => this.retries.push(error as WalError),
      ...options,
      onProgress: (progress) => {
        this.progress = progress;
        options.onProgress?.(progress);
      },
    })
      .catch((error: unknown) => error as WalError)
      .finally(() => (this.hasEnded = true));
  }

  /** Until it has come so far, or has ended. */
  async until(has: (progress: ForwardProgress) => boolean): Promise<void> {
    while (!this.hasEnded && !has(this.progress)) await new Promise((resolve) => setTimeout(resolve, 1));
    if (this.hasEnded) throw new Error('forward() has ended', { cause: await this.done });
  }

  stop(): Promise<unknown> {
    this.#controller.abort();
    return this.done;
  }
}

test('one process after the other goes on where the target is, and the cursor follows', async () => {
  const target = new MemoryTarget();
  for (const last of [100, 200, 300]) {
    fill(wal, last);
    await using cursor = await wal.cursor('copy');
    expect(cursor.nextLsn).toBeGreaterThan(last - 200);
    const run = new Run(target, { cursor });
    await run.until(({ committed }) => committed === last);
    expect(cursor.position).toBe(at(last));
    await run.stop();
    await wal.checkpoint(wal.lastLsn);
    expect(wal.firstLsn).toBe(last);
    await cursor.close();
    await wal.close();
    wal = await Wal.open(wal.path, SMALL_FILES);
  }
  expectStored(target, 1, 300);
});

test('a signal ends it with what is safe committed', async () => {
  fill(wal, 50);
  await using cursor = await wal.cursor('copy');
  const run = new Run(new MemoryTarget(), { cursor });
  await run.until(({ acknowledged }) => acknowledged === 50);
  await run.stop();
  expect(cursor.position).toBe(at(50));
});

test('from another process, with a cursor of its own', async () => {
  fill(wal, 100);
  const reader = WalReader.open(wal.path, { pollMs: 1 });
  await using cursor = await WalCursor.open(wal.path, 'copy');
  const target = new MemoryTarget();
  const run = new Run(target, { cursor }, reader);
  await run.until(({ committed }) => committed === 100);
  await wal.checkpoint(100);
  expect(wal.firstLsn).toBe(100);
  reader.close();
  expect(await run.done).toMatchObject({ committed: 100 });
});

test('a cursor that only believes what is proved on disk is moved later', async () => {
  await using cursor = await WalCursor.open(wal.path, 'copy');
  const target = new MemoryTarget();
  const run = new Run(target, { cursor });
  for (let lsn = 1; lsn <= 20; ++lsn) await wal.append(entry(lsn));
  // What says that the last entries are durable may come with the next ones only.
  await run.until(({ committed }) => committed >= 20 || (wal.appendSync(entry(wal.lastLsn + 1)), false));
  await run.stop();
  expect(run.retries).toEqual([]);
});

describe('a target that went back', () => {
  test('moves the cursor back, and a checkpoint keeps what it lost', async () => {
    fill(wal, 300);
    const target = new MemoryTarget();
    store(target, 1, 200);
    await using cursor = await wal.cursor('copy');
    await cursor.commit(at(300));
    target.outcomes.push('stored');
    const send = target.send.bind(target);
    target.send = async (entries) => {
      expect(cursor.position).toBe(at(200));
      await wal.checkpoint(300);
      expect(wal.firstLsn).toBe(200);
      target.send = send;
      return send(entries);
    };
    const run = new Run(target, { cursor });
    await run.until(({ committed }) => committed === 300);
    expectStored(target, 1, 300);
    await run.stop();
  });

  test('to the entry before the oldest one: the cursor goes back to that, which holds all that is lacking', async () => {
    fill(wal, 300);
    const target = new MemoryTarget();
    store(target, 1, 199);
    await using cursor = await wal.cursor('copy');
    await cursor.commit(at(200));
    await wal.checkpoint(300);
    await cursor.commit(at(300));
    const { firstLsn } = wal;
    expect(firstLsn).toBe(200);
    const send = target.send.bind(target);
    target.send = async (entries) => {
      expect(cursor.position).toBe(at(200));
      await wal.checkpoint(300);
      expect(wal.firstLsn).toBe(200);
      target.send = send;
      return send(entries);
    };
    const run = new Run(target, { cursor });
    await run.until(({ committed }) => committed === 300);
    expectStored(target, 1, 300);
    await run.stop();
  });

  test('to nothing: the cursor goes back to the first entry', async () => {
    fill(wal, 300);
    await using cursor = await wal.cursor('copy');
    await cursor.commit(at(300));
    const target = new MemoryTarget();
    const send = target.send.bind(target);
    target.send = async (entries) => {
      expect(cursor.position).toBe(at(1));
      await wal.checkpoint(300);
      target.send = send;
      return send(entries);
    };
    const run = new Run(target, { cursor });
    await run.until(({ committed }) => committed === 300);
    expectStored(target, 1, 300);
    await run.stop();
  });

  test('to nothing, where it had begun with a log that begins later, and nothing was committed', async () => {
    fill(wal, 300);
    await wal.checkpoint(200);
    const { firstLsn } = wal;
    await using cursor = await wal.cursor('copy');
    const target = new MemoryTarget();
    const run = new Run(target, { cursor, safeAfterMs: 60_000 });
    await run.until(({ acknowledged }) => acknowledged === 300);
    target.stored = [];
    target.outcomes.push('refused');
    fill(wal, 310);
    await run.until(({ acknowledged }) => acknowledged === 310);
    expectStored(target, firstLsn, 310);
    await run.stop();
  });

  test('to what was checkpointed: an error that says what is lost', async () => {
    fill(wal, 300);
    const target = new MemoryTarget();
    store(target, 1, 100);
    await using cursor = await wal.cursor('copy');
    await cursor.commit(at(200));
    await wal.checkpoint(300);
    expect(await new Run(target, { cursor }).done).toMatchObject({
      code: 'ERR_TARGET_BEHIND',
      lsn: 100,
      firstLsn: 200,
      lost: { from: 101, to: 199 },
    });
    expect(target.sent).toEqual([]);
    expect(cursor.position).toBe(at(200));
  });

  test('while someone holds the lock of the cursors: tried again', async () => {
    fill(wal, 30);
    await using cursor = await wal.cursor('copy');
    await cursor.commit(at(30));
    const target = new MemoryTarget();
    store(target, 1, 20);
    const { commit } = cursor;
    const busy = Object.assign(new Error('busy'), { code: 'ERR_LOCKED' });
    cursor.commit = function (position) {
      cursor.commit = commit;
      return position === at(20) ? Promise.reject(busy) : commit.call(this, position);
    };
    const run = new Run(target, { cursor });
    await run.until(({ committed }) => committed === 30);
    expect(run.retries).toEqual([busy]);
    expectStored(target, 1, 30);
    await run.stop();
  });
});

describe('a log that began later, whose target has lost everything', () => {
  async function began(): Promise<void> {
    await wal.close();
    wal = await Wal.open(join(directory, 'later'), { ...SMALL_FILES, firstLsn: 1000 });
    fill(wal, 1010);
    await using cursor = await wal.cursor('copy');
    const run = new Run(new MemoryTarget(), { cursor });
    await run.until(({ committed }) => committed === 1010);
    await run.stop();
  }

  test('lacks nothing: a new forward() begins where the log did', async () => {
    await began();
    using reader = WalReader.open(wal.path);
    for (const source of [wal, reader]) {
      const target = new MemoryTarget();
      await using cursor = await wal.cursor('copy');
      const run = new Run(target, { cursor }, source);
      await run.until(({ committed }) => committed === 1010);
      expectStored(target, 1000, 1010);
      await run.stop();
    }
  });

  test('lacks what was checkpointed, and is told what to do', async () => {
    await began();
    await wal.checkpoint(1004, { force: true });
    await using cursor = await wal.cursor('copy');
    const error = await new Run(new MemoryTarget(), { cursor }).done;
    expect(error).toMatchObject({
      code: 'ERR_TARGET_BEHIND',
      lsn: 0,
      firstLsn: 1005,
      lost: { from: 1000, to: 1004 },
      message: expect.stringMatching(
        /no entries, but the log begins with entry 1005: entries 1000 to 1004.*deleteCursor/,
      ) as string,
    });
    await cursor.delete();
    await using again = await wal.cursor('copy');
    const target = new MemoryTarget();
    const run = new Run(target, { cursor: again });
    await run.until(({ committed }) => committed === 1010);
    expectStored(target, 1005, 1010);
    await run.stop();
  });
});

describe('a forced checkpoint', () => {
  test('of what was not sent: an error that says what is lost', async () => {
    fill(wal, 50);
    await using cursor = await wal.cursor('copy');
    const target = new MemoryTarget();
    const run = new Run(target, { cursor });
    await run.until(({ committed }) => committed === 50);
    // In one go, so that nothing is read in between.
    for (let lsn = 51; lsn <= 300; ++lsn) wal.write(entry(lsn));
    wal.syncSync();
    wal.checkpointSync(200, { force: true });
    expect(await run.done).toMatchObject({
      code: 'ERR_TARGET_BEHIND',
      firstLsn: 201,
      lost: { from: 51, to: 200 },
    });
    expect(run.retries).toMatchObject([{ code: 'ERR_CHECKPOINTED', firstLsn: 201 }]);
    await cursor.close();
    await expect(wal.cursor('copy')).rejects.toMatchObject({
      code: 'ERR_CHECKPOINTED',
      lost: { from: 51, to: 200 },
    });
    // The way on, with a target that has what is lost from elsewhere.
    await using again = await wal.cursor('copy', { reset: true });
    target.stored = [];
    const next = new Run(target, { cursor: again });
    await next.until(({ committed }) => committed === 300);
    expectStored(target, 201, 300);
    await next.stop();
  });

  test('of what a cursor had not begun with: no silent jump', async () => {
    fill(wal, 300);
    await using cursor = await wal.cursor('copy');
    await wal.checkpoint(200, { force: true });
    const target = new MemoryTarget();
    expect(await new Run(target, { cursor }).done).toMatchObject({
      code: 'ERR_TARGET_BEHIND',
      lsn: 0,
      firstLsn: 201,
      lost: { from: 1, to: 200 },
    });
    expect(target.begins).toEqual([]);
  });

  test('of what was acknowledged and is not safe: nothing is lacking', async () => {
    fill(wal, 300);
    await using cursor = await wal.cursor('copy');
    const target = new MemoryTarget();
    const commit = jest.spyOn(cursor, 'commit');
    const run = new Run(target, { cursor, safeAfterMs: 300 });
    await run.until(({ acknowledged }) => acknowledged === 300);
    await wal.checkpoint(300, { force: true });
    while (commit.mock.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    fill(wal, 310);
    await run.until(({ committed }) => committed === 310);
    expectStored(target, 1, 310);
    expect(run.retries).toEqual([]);
    await run.stop();
  });
});

describe('truncateAfter', () => {
  test('of what the target has: an error, and the cursor says so when it is opened', async () => {
    fill(wal, 50);
    await using cursor = await wal.cursor('copy');
    const run = new Run(new MemoryTarget(), { cursor });
    await run.until(({ committed }) => committed === 50);
    await wal.truncateAfter(40);
    fill(wal, 60);
    expect(await run.done).toMatchObject({ code: 'ERR_TARGET_DIFFERS', lsn: 50 });
    expect(run.retries).toMatchObject([{ code: 'ERR_TRUNCATED', lsn: 41 }]);
    await cursor.close();
    await expect(wal.cursor('copy')).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
  });

  test('of what the target has not any more: it goes on, and the cursor with it', async () => {
    fill(wal, 50);
    await using cursor = await wal.cursor('copy');
    const target = new MemoryTarget();
    const run = new Run(target, { cursor });
    await run.until(({ committed }) => committed === 50);
    target.stored.splice(30);
    wal.truncateAfterSync(40);
    fill(wal, 60);
    await run.until(({ committed }) => committed === 60);
    expectStored(target, 1, 60);
    expect(cursor.position).toBe(at(60));
    await run.stop();
  });

  test('before a commit: the target is asked, and what it has decides', async () => {
    fill(wal, 50);
    await using cursor = await wal.cursor('copy');
    const target = new MemoryTarget();
    const commit = cursor.commit.bind(cursor);
    // What the follower finds out as well, the commit finds out first.
    const taken = new Promise<void>((resolve) => {
      cursor.commit = (position) => {
        cursor.commit = commit;
        target.stored.splice(30);
        wal.truncateAfterSync(40);
        resolve();
        return commit(position);
      };
    });
    const run = new Run(target, { cursor });
    await taken;
    await run.until(({ acknowledged }) => acknowledged === 40);
    fill(wal, 60);
    await run.until(({ committed }) => committed === 60);
    expectStored(target, 1, 60);
    await run.stop();
  });
});

describe('the end', () => {
  test.each([
    ['close', () => wal.close()],
    ['closeSync', () => Promise.resolve(wal.closeSync())],
  ])('%s() of the log, with commits under way, resolves', async (_, close) => {
    for (let round = 0; round < 5; ++round) {
      fill(wal, wal.lastLsn + 50);
      const cursor = await wal.cursor(`copy-${round}`);
      const committing = jest.spyOn(cursor, 'commit');
      const run = new Run(new MemoryTarget(), { cursor });
      while (committing.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
      await close();
      expect(await run.done).toMatchObject({ acknowledged: wal.lastLsn });
      wal = await Wal.open(wal.path, SMALL_FILES);
    }
  });

  test('the log is closed while a commit waits for the disk: resolves, whatever the commit says', async () => {
    fill(wal, 50);
    await using cursor = await wal.cursor('copy');
    const commit = cursor.commit.bind(cursor);
    cursor.commit = (position) => {
      wal.closeSync();
      return commit(position);
    };
    expect(await new Run(new MemoryTarget(), { cursor }).done).toMatchObject({
      acknowledged: 50,
      committed: 0,
    });
  });

  test('the cursor is closed: an error of its own at the next commit, after what is under way', async () => {
    fill(wal, 50);
    const cursor = await wal.cursor('copy');
    const target = new MemoryTarget();
    const run = new Run(target, { cursor });
    await run.until(({ committed }) => committed === 50);
    await cursor.close();
    fill(wal, 60);
    expect(await run.done).toMatchObject({ code: 'ERR_CURSOR_CLOSED' });
    expect(target.underWay).toBe(0);
    expect(run.retries).toEqual([]);
    await using again = await wal.cursor('copy');
    expect(again.position).toBe(at(50));
  });

  test('the cursor is closed while the target has gone back', async () => {
    fill(wal, 50);
    const target = new MemoryTarget();
    const cursor = await wal.cursor('copy');
    await cursor.commit(at(50));
    await cursor.close();
    store(target, 1, 10);
    expect(await new Run(target, { cursor }).done).toMatchObject({ code: 'ERR_CURSOR_CLOSED' });
  });
});

describe('whatever fails', () => {
  const RUNS = sized('FORWARD_CURSOR_RUNS', { small: 25, long: 500 });
  const step = fc.constantFrom('refused', 'unheard', 'late', 'half', 'lost', 'restart', 'append', 'none');

  test('a checkpoint never passes what a target may still lose, and every entry gets there once', async () => {
    let round = 0;
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      using log = Wal.openSync(join(directory, `log-${++round}`), SMALL_FILES);
      fill(log, 80);
      const target = new MemoryTarget();
      let cursor: WalCursor;
      /** What the cursor was told, so that the target may not lose it. */
      let safe = 0;
      const begin = async (): Promise<Run> => {
        cursor = await log.cursor('copy');
        const commit = cursor.commit.bind(cursor);
        cursor.commit = (position) => {
          safe = Number(position.split(':')[0]);
          return commit(position);
        };
        return new Run(target, { cursor, batchEntries: 7, inFlight: 3 }, log);
      };
      let losses = 0;
      const position = target.position.bind(target);
      target.position = () => {
        if (losses-- > 0) target.stored = target.stored.filter(({ lsn }) => lsn <= safe);
        return position();
      };
      let run = await begin();
      for (const what of steps) {
        if (what === 'lost') {
          losses = 1;
          target.outcomes.push('unheard');
        } else if (what === 'append') fill(log, log.lastLsn + 60);
        else if (what === 'restart') {
          await run.stop();
          await cursor!.close();
          run = await begin();
        } else if (what !== 'none') target.outcomes.push(what as 'refused');
        fill(log, log.lastLsn + 10);
        await log.checkpoint(log.lastLsn);
        expect(log.firstLsn).toBeLessThanOrEqual(Math.max(target.lastLsn, 1));
      }
      await run.until(({ committed }) => committed === log.lastLsn);
      expectStored(target, 1, log.lastLsn);
      await run.stop();
      await cursor!.close();
    });
    // Once a commit came between the loss and what the target said of it.
    const between = ['restart', 'half', 'lost', 'late', 'none', 'late', 'unheard', 'restart', 'late', 'none'];
    await fc.assert(property, { numRuns: RUNS, examples: [[[...between, 'restart']]] });
  });
});
