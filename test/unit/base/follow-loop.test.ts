// What `follow()` returns takes turns, heeds signals and ends by the same rules, whatever is followed.
import { getEventListeners } from 'node:events';
import {
  AtomicLog,
  SegmentTail,
  SegmentWriter,
  Wal,
  WalReader,
  type ErrorCode,
  type Followed,
} from 'atomic-log';

import { runInChild } from '../../support/child';
import { expectError } from '../../support/errors';
import { collectGarbage, collectUntil, nextTurn } from '../../support/memory';
import { temporaryDirectory } from '../../support/segments';

/** Something that is followed from its first item on; the items are numbers. */
interface Subject {
  follow(options?: { signal?: AbortSignal }): Followed<unknown>;
  /** The numbers of what a follower has delivered. */
  numbersOf(delivered: unknown): number[];
  append(n: number): void;
  /** Closes the object whose `follow()` it is. */
  close(): void;
  /** Also what else is open. */
  closeAll(): void;
  readonly closedCode: ErrorCode;
}

const directory = temporaryDirectory();
const bytesOf = (n: number): Buffer => Buffer.from(String(n));
const numberOf = ({ data }: { readonly data: Uint8Array }): number => Number(Buffer.from(data).toString());

function memoryLog(): Subject {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 64, segmentCapacity: 16 });
  return {
    follow: (options) => log.follow({ from: 'oldest', ...options }),
    numbersOf: (batch) => [...(batch as Iterable<number>)],
    append: (n) => void writer.append(n),
    close: () => log.close(),
    closeAll: () => {
      writer.close();
      log.close();
    },
    closedCode: 'ERR_LOG_CLOSED',
  };
}

function segmentFile(): Subject {
  const path = directory.path('a.seg');
  const writer = SegmentWriter.createSync(path, { size: 1 << 24 });
  const tail = SegmentTail.open(path);
  return {
    follow: (options) => tail.follow({ pollMs: 1, ...options }),
    numbersOf: (record) => [numberOf(record as { data: Uint8Array })],
    append: (n) => {
      writer.append(bytesOf(n));
      writer.flush();
    },
    close: () => tail.close(),
    closeAll: () => {
      writer.closeSync();
      tail.close();
    },
    closedCode: 'ERR_READER_CLOSED',
  };
}

const numbersOfEntries = (entries: unknown): number[] => (entries as { data: Uint8Array }[]).map(numberOf);

function openWal(): Subject {
  const wal = Wal.openSync(directory.path('log'));
  return {
    follow: (options) => wal.follow(options),
    numbersOf: numbersOfEntries,
    append: (n) => void wal.appendSync(bytesOf(n)),
    close: () => wal.closeSync(),
    closeAll: () => wal.closeSync(),
    closedCode: 'ERR_LOG_CLOSED',
  };
}

function walReader(): Subject {
  const wal = Wal.openSync(directory.path('log'));
  const reader = WalReader.open(directory.path('log'), { pollMs: 1 });
  return {
    follow: (options) => reader.follow(options),
    numbersOf: numbersOfEntries,
    append: (n) => void wal.appendSync(bytesOf(n)),
    close: () => reader.close(),
    closeAll: () => {
      reader.close();
      wal.closeSync();
    },
    closedCode: 'ERR_READER_CLOSED',
  };
}

const DONE = { done: true, value: undefined };
const ignore = (): undefined => undefined;

/** An implementation of AbortSignal that is not this realm's, as that of jsdom. */
class ForeignSignal extends EventTarget {
  aborted = false;
  reason: unknown = undefined;

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    this.dispatchEvent(new Event('abort'));
  }
}

describe.each([
  ['AtomicLog', memoryLog],
  ['SegmentTail', segmentFile],
  ['Wal', openWal],
  ['WalReader', walReader],
])('a follower of %s', (_, open) => {
  let subject: Subject;

  beforeEach(() => {
    subject = open();
  });

  afterEach(() => {
    subject.closeAll();
  });

  /** The numbers that a pending or new next() delivers. */
  const numbers = async (result: Promise<IteratorResult<unknown>>): Promise<number[]> => {
    const { done, value } = await result;
    expect(done).toBe(false);
    return subject.numbersOf(value);
  };

  const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

  describe('turns', () => {
    test('calls of next() that overlap are served one after the other, in order', async () => {
      const follower = subject.follow();
      const results = [follower.next(), follower.next(), follower.next()];
      for (const [i, result] of results.entries()) {
        subject.append(i);
        expect(await numbers(result)).toEqual([i]);
      }
      await follower.return!();
    });

    test('one that always finds something lets the event loop turn all the same', async () => {
      const follower = subject.follow();
      let hasTurned = false;
      setTimeout(() => (hasTurned = true), 1);
      const end = performance.now() + 20_000;
      for (let i = 0; !hasTurned && performance.now() < end; ++i) {
        subject.append(i);
        await follower.next();
      }
      expect(hasTurned).toBe(true);
      await follower.return!();
    });

    test('followers of one object do not wait for each other', async () => {
      const [first, second] = [subject.follow(), subject.follow()];
      const pending = first.next();
      await nextTurn();
      await second.return!();
      subject.append(7);
      expect(await numbers(pending)).toEqual([7]);
      await first.return!();
    });
  });

  describe('signals', () => {
    const reason = new Error('enough');

    test('an abort rejects the next() that waits, then it is done', async () => {
      const controller = new AbortController();
      const follower = subject.follow({ signal: controller.signal });
      const results = [follower.next(), follower.next()];
      await nextTurn();
      controller.abort(reason);
      await expect(results[0]).rejects.toBe(reason);
      expect(await results[1]).toEqual(DONE);
      expect(await follower.next()).toEqual(DONE);
    });

    test('an abort between two turns is told by the next one, which delivers nothing', async () => {
      const controller = new AbortController();
      const follower = subject.follow({ signal: controller.signal });
      subject.append(1);
      expect(await numbers(follower.next())).toEqual([1]);
      subject.append(2);
      controller.abort(reason);
      await expect(follower.next()).rejects.toBe(reason);
      expect(await follower.next()).toEqual(DONE);
    });

    test('a signal that was aborted before', async () => {
      subject.append(1);
      const follower = subject.follow({ signal: AbortSignal.abort(reason) });
      await expect(follower.next()).rejects.toBe(reason);
      expect(await follower.next()).toEqual(DONE);
    });

    test('a signal of another realm, and one of an implementation without throwIfAborted()', async () => {
      const old = new ForeignSignal();
      Object.defineProperty(old, 'throwIfAborted', { value: undefined });
      for (const signal of [new ForeignSignal(), old]) {
        const follower = subject.follow({ signal: signal as unknown as AbortSignal });
        const pending = follower.next();
        await nextTurn();
        signal.abort(reason);
        await expect(pending).rejects.toBe(reason);
      }
    });

    test('what is not a signal is refused at once', () => {
      for (const signal of [{}, null, 1, new EventTarget(), AbortSignal]) {
        expectError(
          () => subject.follow({ signal: signal as never }),
          'ERR_INVALID_ARG_TYPE',
          /^options\.signal must be an AbortSignal; got/,
        );
      }
    });

    test('many that wait on one signal have one listener of it, those that do not wait none', async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const followers = Array.from({ length: 11 }, () => subject.follow({ signal }));
      expect(listeners(signal)).toBe(0);
      const results = Promise.allSettled(followers.map((follower) => follower.next()));
      await nextTurn();
      expect(listeners(signal)).toBe(1);
      // One that leaves does not take the listener of the others along.
      await followers[0]!.return!();
      await nextTurn();
      expect(listeners(signal)).toBe(1);
      controller.abort(reason);
      const [left, ...aborted] = await results;
      expect(left).toEqual({ status: 'fulfilled', value: DONE });
      expect(aborted).toEqual(aborted.map(() => ({ status: 'rejected', reason })));
      expect(listeners(signal)).toBe(0);
    });

    test('once it was given something, a follower listens no more', async () => {
      const { signal } = new AbortController();
      const follower = subject.follow({ signal });
      const pending = follower.next();
      await nextTurn();
      subject.append(1);
      expect(await numbers(pending)).toEqual([1]);
      expect(listeners(signal)).toBe(0);
      await follower.return!();
    });
  });

  describe('the end', () => {
    test.each([
      ['return()', (follower: Followed<unknown>) => follower.return!()],
      ['asyncDispose', (follower: Followed<unknown>) => follower[Symbol.asyncDispose]()],
      ['throw()', (follower: Followed<unknown>) => follower.throw!(new Error('mine')).catch(ignore)],
    ])('%s ends the next() that waits, and all later ones', async (__, end) => {
      const follower = subject.follow();
      const results = [follower.next(), follower.next()];
      await nextTurn();
      await end(follower);
      subject.append(1);
      expect(await Promise.all([...results, follower.next()])).toEqual([DONE, DONE, DONE]);
      // More than once does no harm.
      await end(follower);
    });

    test('throw() rejects with what it was given', async () => {
      for (const thrown of [new Error('mine'), undefined, 0]) {
        await expect(subject.follow().throw!(thrown)).rejects.toBe(thrown);
      }
    });

    test('break ends it', async () => {
      subject.append(1);
      const follower = subject.follow();
      for await (const delivered of follower) {
        expect(subject.numbersOf(delivered)).toEqual([1]);
        break;
      }
      expect(await follower.next()).toEqual(DONE);
    });

    test('closing what is followed ends the next() that waits, and all later ones', async () => {
      const follower = subject.follow();
      const idle = subject.follow();
      const results = [follower.next(), follower.next()];
      await nextTurn();
      subject.close();
      expect(await Promise.all([...results, follower.next(), idle.next()])).toEqual([DONE, DONE, DONE, DONE]);
      expectError(() => subject.follow(), subject.closedCode, /closed/);
    });
  });

  describe('memory', () => {
    test('a follower that was dropped is collected, although its signal lives', async () => {
      const { signal } = new AbortController();
      subject.append(1);
      const dropped = await (async () => {
        const follower = subject.follow({ signal });
        await follower.next();
        return new WeakRef(follower);
      })();
      await collectUntil('the follower is collected', () => dropped.deref() === undefined);
      expect(signal.aborted).toBe(false);
    });

    test('one that waits is not, although only its promise is held', async () => {
      const pending = subject.follow().next();
      await collectGarbage();
      subject.append(3);
      expect(await numbers(pending)).toEqual([3]);
    });
  });
});

test('a follower of a Wal is done while close() makes the rest durable', async () => {
  const wal = Wal.openSync(directory.path('log'));
  const follower = wal.follow();
  const pending = follower.next();
  await nextTurn();
  wal.write(bytesOf(1));
  const closed = wal.close();
  expect(await follower.next()).toEqual(DONE);
  expect(await pending).toEqual(DONE);
  await closed;
});

describe('the event loop', () => {
  const path = (name: string): string => JSON.stringify(directory.path(name));
  const subjects = {
    AtomicLog: () => `
      const { writer, log } = AtomicLog.claimed({ retainedCapacity: 64, segmentCapacity: 16 });
      const append = () => writer.append(1);
      const follower = log.follow({ from: 'oldest' });`,
    SegmentTail: () => `
      const writer = SegmentWriter.createSync(${path('a.seg')}, { size: 4096 });
      const append = () => { writer.append(Buffer.alloc(1)); writer.flush(); };
      const follower = SegmentTail.open(${path('a.seg')}).follow({ pollMs: 1 });`,
    WalReader: () => `
      const wal = Wal.openSync(${path('log')});
      const append = () => wal.appendSync(Buffer.alloc(1));
      const follower = WalReader.open(${path('log')}, { pollMs: 1 }).follow();`,
  };
  const run = (name: keyof typeof subjects, code: string): string =>
    runInChild(`
      const { AtomicLog, SegmentTail, SegmentWriter, Wal, WalReader } = require('atomic-log');
      ${subjects[name]()}
      (async () => { ${code} })();`);

  test.each(Object.keys(subjects) as (keyof typeof subjects)[])(
    'stays while a follower of %s waits, and ends when none does',
    (name) => {
      const waiting = `
        const pending = follower.next();
        setTimeout(append, 50).unref();
        await pending;
        console.log('delivered');`;
      expect(run(name, waiting)).toBe('delivered');
    },
  );

  test('ends although a follower of a Wal waits: only this thread could append', () => {
    const output = runInChild(`
      const { Wal } = require('atomic-log');
      const wal = Wal.openSync(${path('log')});
      wal.follow().next().then(() => console.log('delivered'));
      process.on('exit', () => console.log('ended'));`);
    expect(output).toBe('ended');
  });
});
