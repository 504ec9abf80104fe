// Being told that the writer is gone without having ended the log: closed, collected with its thread, or killed with
// its process.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { AtomicLog, type FollowOptions, type Writer } from 'atomic-log';

import { expectError, rejection } from '../../support/errors';
import { packageRoot, requireInternal } from '../../support/internals';
import { describeProcesses } from '../../support/processes';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;
const { isWriterLost } = requireInternal<{ isWriterLost(view: object): boolean }>('memory/follower.js');
const ALLOWED = { allowMainThread: true, whenWriterLost: 'return' } as const;

async function collect(
  log: AtomicLog<number>,
  options: FollowOptions,
  got: number[] = [],
): Promise<number[]> {
  for await (const batch of log.follow(options)) got.push(...batch);
  return got;
}

/** Another process that appends 0 to `count - 1`, and stays. */
async function writerOf(count: number): Promise<ChildProcess> {
  const source = `
    const { AtomicLog } = require(${JSON.stringify(packageRoot)});
    const log = AtomicLog.openSync(${JSON.stringify(path())}, { create: false });
    const writer = log.tryClaimWriter();
    for (let i = 0; i < ${count}; ++i) writer.append(i);
    console.log('on');
    setInterval(() => writer, 1000);`;
  const child = spawn(process.execPath, ['--eval', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
  return child;
}

describe('a writer that is gone', () => {
  test('ends the iteration, or fails it, once everything is delivered', async () => {
    using log = new AtomicLog(SMALL);
    const writer = log.tryClaimWriter()!;
    for (let i = 0; i < 3; ++i) writer.append(i);
    const ended = collect(log, { whenWriterLost: 'end', batchEntriesMax: 1 });
    const got: number[] = [];
    const failed = rejection(collect(log, { whenWriterLost: 'throw' }, got));
    await new Promise((resolve) => setTimeout(resolve, 20));
    writer.append(3);
    writer.close();
    expect(await ended).toEqual([0, 1, 2, 3]);
    expect(await failed).toMatchObject({ code: 'ERR_WRITER_LOST' });
    expect(got).toEqual([0, 1, 2, 3]);
    // Also for those that come later.
    expect(await collect(log, { whenWriterLost: 'end' })).toEqual([0, 1, 2, 3]);
    expect(log.waitSync(4, 10_000, ALLOWED)).toBe('writer-lost');
    expect(log.waitSync(3, 10_000, ALLOWED)).toBe('ready');
    expect(log.waitSync(4, 5, { allowMainThread: true })).toBe('timeout');
  });

  test('is waited for before the first entry, and unless that is asked for', async () => {
    using log = new AtomicLog(SMALL);
    expect(log.waitSync(0, 10, ALLOWED)).toBe('timeout');
    const first = log.follow({ whenWriterLost: 'end' });
    const next = first.next();
    const patient = log.follow();
    const writer = log.tryClaimWriter()!;
    writer.append(1);
    expect((await next).value).toHaveLength(1);
    expect((await patient.next()).done).toBe(false);
    writer.close();
    expect((await first.next()).done).toBe(true);
    const more = patient.next();
    const successor = log.tryClaimWriter()!;
    successor.append(2);
    expect((await more).done).toBe(false);
    // The end is the end, not a loss.
    successor.end();
    expect(await collect(log, { whenWriterLost: 'throw' })).toEqual([1, 2]);
    expect(log.waitSync(2, 1000, ALLOWED)).toBe('ended');
    await patient.return!();
  });

  test('is noticed by one who waits for a later entry than the first', async () => {
    using log = new AtomicLog(SMALL);
    const ended = collect(log, { from: 5, whenWriterLost: 'end' });
    const failed = rejection(collect(log, { from: 1, whenWriterLost: 'throw' }));
    await new Promise((resolve) => setTimeout(resolve, 10));
    const writer = log.tryClaimWriter()!;
    writer.append(0);
    writer.close();
    expect(await ended).toEqual([]);
    expect(await failed).toMatchObject({ code: 'ERR_WRITER_LOST' });
  });

  test('is not one that comes, and appends, between two looks', () => {
    for (const last of [1, 2, 3]) {
      using log = new AtomicLog(SMALL);
      let writer: Writer<number> | undefined;
      let looks = 0;
      const look = <R>(result: R): R => {
        if (++looks !== last) return result;
        writer = log.tryClaimWriter()!;
        writer.append(0);
        return result;
      };
      const view = {
        native: { isClaimed: () => look(log.isWriterClaimed), hasEnded: () => look(log.ended) },
        bounds: () => look([log.firstIndex, log.endIndex]),
      };
      expect([last, isWriterLost(view)]).toEqual([last, false]);
      writer?.close();
    }
  });

  test('options are checked', () => {
    using log = new AtomicLog(SMALL);
    expectError(
      () => log.follow({ whenWriterLost: 'return' as 'wait' }),
      'ERR_INVALID_ARG_VALUE',
      /whenWriterLost must be one of 'wait', 'end', 'throw'/,
    );
    expectError(
      () => log.waitSync(0, 0, { whenWriterLost: 'end' as 'wait' }),
      'ERR_INVALID_ARG_VALUE',
      /'wait', 'return'/,
    );
  });

  test('an abort, and the close of the log, end the waiting', async () => {
    const log = new AtomicLog(SMALL);
    const writer = log.tryClaimWriter()!;
    writer.append(1);
    const controller = new AbortController();
    const aborted = rejection(collect(log, { whenWriterLost: 'end', signal: controller.signal }));
    const closed = collect(log, { whenWriterLost: 'end' });
    await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort();
    expect(await aborted).toMatchObject({ name: 'AbortError' });
    log.close();
    expect(await closed).toEqual([1]);
    writer.close();
  });
});

test('one who blocks is told when a thread gives up the claim', async () => {
  using log = new AtomicLog(SMALL);
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     const writer = require(${JSON.stringify(packageRoot)}).AtomicLog.attach(workerData).tryClaimWriter();
     writer.append(0);
     parentPort.postMessage('on');
     setTimeout(() => writer.close(), 100);`,
    { eval: true, workerData: log.handle },
  );
  await once(worker, 'message');
  expect(log.waitSync(1, 60_000, ALLOWED)).toBe('writer-lost');
  await worker.terminate();
});

describeProcesses('a writer whose process was killed', () => {
  test('is noticed by those that share the log, and by those that only read it', async () => {
    const log = AtomicLog.openSync(path(), SMALL);
    const reader = AtomicLog.openSync<number>(path(), { readOnly: true });
    const child = await writerOf(7);
    const all = [0, 1, 2, 3, 4, 5, 6];
    const results = [log, reader].map((one) => collect(one, { whenWriterLost: 'end' }));
    const got: number[] = [];
    const failure = rejection(collect(log, { whenWriterLost: 'throw' }, got));
    const waiting = log.follow({ from: 'latest' }).next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGKILL');
    expect(await Promise.all(results)).toEqual([all, all]);
    expect(await failure).toMatchObject({ code: 'ERR_WRITER_LOST' });
    expect(got).toEqual(all);
    for (const one of [log, reader]) expect(one.waitSync(7, 10_000, ALLOWED)).toBe('writer-lost');
    // Another one goes on.
    using writer = log.tryClaimWriter()!;
    writer.append(7);
    expect((await waiting).value).toHaveLength(1);
    reader.close();
    log.close();
  });

  test('is noticed by one who blocks', () => {
    using log = AtomicLog.openSync(path(), SMALL);
    using reader = AtomicLog.openSync<number>(path(), { readOnly: true });
    for (const [i, one] of [log, reader].entries()) {
      const source = `
        const { AtomicLog } = require(${JSON.stringify(packageRoot)});
        const writer = AtomicLog.openSync(${JSON.stringify(path())}, { create: false }).tryClaimWriter();
        writer.append(0);
        setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100);`;
      spawn(process.execPath, ['--eval', source], { stdio: 'ignore' });
      expect(one.waitSync(i, 60_000, { allowMainThread: true })).toBe('ready');
      expect(one.waitSync(i + 1, 60_000, ALLOWED)).toBe('writer-lost');
    }
  });
});
