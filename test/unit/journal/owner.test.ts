// Who may append to a journaled log, and who may close it while an append is under way.
import { Worker } from 'node:worker_threads';

import { AtomicLog, utf8, type JournaledLog, type WalFile } from 'atomic-log';

import { expectError, rejection } from '../../support/errors';
import { packageRoot } from '../../support/internals';
import { collectUntil } from '../../support/memory';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;
const place = () => ({ path: directory.path('log'), segmentBytes: 65536 });

/** What a worker answers to `source`, the body of an async function of `handle`, `AtomicLog` and `codeOf`. */
async function inWorker(source: string, handle: unknown): Promise<unknown> {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const { AtomicLog } = require(workerData.root);
    const codeOf = async (work) => { try { await work(); } catch (error) { return error.code; } return 'none'; };
    (async ({ handle }) => {${source}})(workerData).then((answer) => parentPort.postMessage(answer));`,
    { eval: true, workerData: { root: packageRoot, handle } },
  );
  try {
    return await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject).once('exit', reject),
    );
  } finally {
    await worker.terminate();
  }
}

const CLAIMS = `
  const log = AtomicLog.attach(handle);
  return [await codeOf(() => log.tryClaimWriter()), await codeOf(() => log.waitForWriter())];`;

describe('the claim', () => {
  test('no one else gets it, in any thread', async () => {
    await using log = await AtomicLog.open({ wal: place(), ...SMALL });
    log.append(1);
    expect(await inWorker(CLAIMS, log.handle)).toEqual(['ERR_JOURNALED', 'ERR_JOURNALED']);
    expectError(() => log.tryClaimWriter(), 'ERR_JOURNALED', /append with the JournaledLog/);
    expect((await rejection(log.waitForWriter())).code).toBe('ERR_JOURNALED');
    expect(log.append(2)).toBe(1);
  });

  test('also when the log was dropped without having been closed; those who follow it end', async () => {
    const wal = place();
    const attached = await (async () => {
      const log = await AtomicLog.open({ wal, ...SMALL });
      log.append(7);
      await log.sync();
      return AtomicLog.attach(log.handle);
    })();
    const seen: unknown[] = [];
    const following = (async () => {
      for await (const batch of attached.follow()) seen.push(...batch);
    })();
    await collectUntil('the log has ended', () => attached.ended);
    await following;
    expect(seen).toEqual([7]);
    expect(attached.isWriterClaimed).toBe(false);
    expectError(() => attached.tryClaimWriter(), 'ERR_JOURNALED', /append with/);
    expect(await inWorker(CLAIMS, attached.handle)).toEqual(['ERR_JOURNALED', 'ERR_JOURNALED']);
    // Its lock goes with it.
    let again: JournaledLog<number> | undefined;
    await collectUntil('the lock is free', () => {
      try {
        again = AtomicLog.openSync({ wal, ...SMALL });
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'ERR_LOCKED') throw error;
      }
      return again !== undefined;
    });
    expect([...again!.snapshot()]).toEqual([7]);
    await again!.close();
    attached.close();
  });

  test('also when the thread that had the log open is gone', async () => {
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
      const { AtomicLog } = require(workerData.root);
      const log = globalThis.log = AtomicLog.openSync(workerData.options);
      log.append(7);
      parentPort.postMessage(log.handle);
      setInterval(() => {}, 1000);`,
      { eval: true, workerData: { root: packageRoot, options: { wal: place(), ...SMALL } } },
    );
    const handle = await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    );
    const attached = AtomicLog.attach(handle as never);
    await worker.terminate();
    while (!attached.ended) await new Promise((resolve) => setTimeout(resolve, 1));
    expectError(() => attached.tryClaimWriter(), 'ERR_JOURNALED', /append with/);
    attached.close();
  });
});

describe('a close inside of an append', () => {
  /** A log in which an append runs `hook`, in small files. */
  const openWith = (hook: (file: WalFile) => unknown) =>
    AtomicLog.open({
      codec: utf8,
      wal: { path: directory.path('log'), segmentBytes: 8192, retainBytes: 30_000, beforeDelete: hook },
      ...SMALL,
      segmentCapacity: 20,
      retainedCapacity: 200,
      dataBytes: 4000,
    });

  test.each([
    ['write and publish', (log: JournaledLog<string>, text: string) => log.write(text)],
    ['append', (log: JournaledLog<string>, text: string) => log.append(text)],
    ['appendBatch', (log: JournaledLog<string>, text: string) => log.appendBatch([text, text])],
  ])('closeSync() by a hook is refused, and every append says the truth: %s', async (_name, store) => {
    const codes: unknown[] = [];
    const log = await openWith(() => {
      for (const close of [() => log.closeSync(), () => log[Symbol.dispose]()]) {
        try {
          close();
        } catch (error) {
          codes.push((error as { code?: unknown }).code);
        }
      }
    });
    const told: string[] = [];
    for (let i = 0; i < 80; ++i) {
      const text = `${i} `.padEnd(700 + i, 'x');
      const before = log.nextIndex;
      expect(store(log, text)).toBe(before);
      while (told.length < log.nextIndex) told.push(text);
    }
    log.publish();
    expect(codes.length).toBeGreaterThan(0);
    expect(new Set(codes)).toEqual(new Set(['ERR_WRITER_BUSY']));
    expect(log.isClosed).toBe(false);
    await log.close();
    await using again = await openWith(() => {});
    expect(again.endIndex).toBe(told.length);
    const { firstIndex } = again;
    expect([...again.snapshot()]).toEqual(told.slice(firstIndex));
  });

  test('close() by a hook waits until the append has returned, which is told what became of its entry', async () => {
    let closing: Promise<void> | undefined;
    const log = await openWith(() => (closing ??= log.close()));
    const told: string[] = [];
    let refusal: unknown;
    // In one turn, so that the hook runs inside of an append.
    for (let i = 0; i < 80; ++i) {
      const text = `${i} `.padEnd(700 + i, 'x');
      log.append(text);
      told.push(text);
    }
    expect(closing).toBeDefined();
    expect(log.isClosed).toBe(false);
    await closing;
    expect(log.isClosed).toBe(true);
    try {
      log.append('too late');
    } catch (error) {
      refusal = (error as { code?: unknown }).code;
    }
    expect(refusal).toBe('ERR_WRITER_CLOSED');
    await using again = await openWith(() => {});
    expect(again.endIndex).toBe(told.length);
    expect([...again.snapshot()]).toEqual(told.slice(again.firstIndex));
  });

  test.each([
    [
      'a getter',
      (close: () => void) => ({
        get n() {
          return (close(), 1);
        },
        m: 2,
      }),
    ],
    [
      'a proxy',
      (close: () => void) =>
        new Proxy({ n: 1, m: 2 }, { get: (target, name) => (close(), Reflect.get(target, name)) }),
    ],
  ])('%s closes the log: nothing of its entry is there', async (_name, entryOf) => {
    const options = { wal: place(), schema: { n: 'u32', m: 'u32' } as const, ...SMALL };
    const log = await AtomicLog.open(options);
    log.append({ n: 0, m: 0 });
    for (const store of [log.append, log.write]) {
      expectError(
        () => store.call(log, entryOf(() => log.closeSync()) as never),
        'ERR_WRITER_CLOSED',
        /closed/,
      );
    }
    expectError(
      () => log.appendBatch([entryOf(() => log.closeSync())] as never),
      'ERR_WRITER_CLOSED',
      /closed/,
    );
    expect(log.isClosed).toBe(true);
    await using again = await AtomicLog.open(options);
    expect([...again.snapshot()]).toEqual([{ n: 0, m: 0 }]);
  });
});
