// Workers that attach, snapshot, follow, wait, claim and write are terminated, while
// this thread checks every value. Allowed at any moment: a window of whole entries
// without a hole, whose indexes never go back; the claim held by a living worker or
// by nobody. In the end nothing is held. Native threads read and write the log of
// numbers meanwhile.
//
// Once they live for some milliseconds, so that they are met in any state; once four
// of them work on for long, and now and then one is replaced; once the maker of the
// log is the first to go, or all go and the log with them.
//
// TORTURE_TERMINATIONS sets the number for the first (half as many for each other sort
// of log), TORTURE_SECONDS the length of the second, TORTURE_SEED the seed.
import { setTimeout as sleep } from 'node:timers/promises';
import { AtomicLog, type LogHandle } from 'atomic-log';
import { expectError } from '../support/errors';
import { isShared } from '../support/mapping';
import { nextTurn } from '../support/memory';
import { isLong, sized } from '../support/sizes';
import { firstMessage, startWorker, tornDown } from './helpers';
import { binary, CLAIMED, client, OK } from './native-client';
import { sorts, type Sort } from './sorts.cjs';

const TERMINATIONS = sized('TORTURE_TERMINATIONS', { small: 40, long: 300 });
const SECONDS = sized('TORTURE_SECONDS', { small: 1, long: 60 });
const SEED = Number(process.env['TORTURE_SEED'] ?? Date.now() % 2147483646) + 1;
const ROUNDS = Math.max(4, Math.ceil(TERMINATIONS / 25));
const AT_ONCE = 4;
const REPLACED_AFTER_MS = isLong ? 2000 : 250;

const names = ['numbers', 'lines', 'codec'] as const;
type Name = (typeof names)[number];

/** Native threads that read all of a log and write to it when the claim is free. */
class NativeThreads {
  static for(name: Name, log: AtomicLog<unknown>): NativeThreads | undefined {
    // They know logs of numbers, and a shared log has no native handle.
    return name === 'numbers' && binary !== undefined && !isShared ? new NativeThreads(log) : undefined;
  }

  private constructor(readonly log: AtomicLog<unknown>) {
    expect(client.consume(log.nativeHandle)).toBe(OK);
  }

  write(): void {
    expect([OK, CLAIMED]).toContain(client.produce(this.log.nativeHandle, 100, 7, false));
  }

  expectNothingWrong(): void {
    client.stop();
    const { wrong, entries } = client.join();
    expect(wrong).toBe(0);
    expect(entries).toBeGreaterThan(0);
  }
}

class Torture {
  readonly log: AtomicLog<unknown>;
  readonly failures: Error[] = [];
  /** Windows that were checked, value by value. */
  checks = 0;
  readonly #sort: Sort;
  #started = 0;
  #isOver = false;
  readonly #watching: Promise<void>;
  readonly #native: NativeThreads | undefined;

  /** Of a log of its own, or of the one that somebody else has made. */
  constructor(
    readonly name: Name,
    handle?: LogHandle,
  ) {
    this.#sort = sorts[name]!;
    const capacities = { retainedCapacity: 512, segmentCapacity: 16 };
    this.log =
      handle === undefined
        ? new AtomicLog<unknown>({ ...capacities, ...this.#sort.options })
        : AtomicLog.attach(handle, this.#sort.attach);
    this.#native = NativeThreads.for(name, this.log);
    this.#watching = this.#watch();
  }

  /** A worker that does everything at once until it is terminated. */
  async start(): Promise<ReturnType<typeof startWorker>> {
    const seed = SEED + ++this.#started;
    const worker = startWorker('torture', { handle: this.log.handle, seed, sort: this.name });
    worker.on('error', (error: Error) => this.failures.push(error));
    await firstMessage(worker);
    return worker;
  }

  get started(): number {
    return this.#started;
  }

  async #watch(): Promise<void> {
    const { log, failures } = this;
    const snapshot = log.snapshot();
    let end = 0;
    while (!this.#isOver) {
      snapshot.refresh();
      let index = snapshot.firstIndex;
      for (const value of snapshot)
        if (!this.#sort.isEntry(value, index++)) failures.push(new Error(`entry ${index - 1}`));
      if (index !== snapshot.endIndex || index < end) failures.push(new Error(`end ${index} after ${end}`));
      end = snapshot.endIndex;
      if (++this.checks % 16 === 0) this.#native?.write();
      await new Promise((resolve) => setImmediate(resolve));
    }
    snapshot.close();
  }

  /** All workers have ended. */
  async expectAllGivenBack(): Promise<void> {
    const { log, failures } = this;
    this.#isOver = true;
    await this.#watching;

    this.#native?.expectNothingWrong();
    await tornDown(() => !log.isWriterClaimed && log.stats().readers.length === 1);
    expect(failures).toEqual([]);
    expect(log.isWriterClaimed).toBe(false);
    const writer = log.tryClaimWriter()!;
    // In batches: the codec of the last sort fails now and then when it writes in place.
    for (let i = 0; i < 2000; ++i) writer.appendBatch([this.#sort.entryOf(writer.nextIndex)]);
    await nextTurn();
    expect(log.stats()).toMatchObject({ pinnedSegments: 0, pinnedHere: 0 });
  }

  /** Whether the workers came to do something; on a busy machine that may take longer than was asked for. */
  get wasBusy(): boolean {
    if (this.checks <= 100 || this.log.endIndex === 0) return false;
    return this.name === 'numbers' || this.log.stats().earlySeals > 0;
  }
}

describe.each(names)('a log of %s', (name) => {
  const terminations = name === 'numbers' ? TERMINATIONS : Math.ceil(TERMINATIONS / 2);

  test(`${terminations} terminations at random moments, seed ${SEED}`, async () => {
    const torture = new Torture(name);
    let state = SEED;
    const random = (n: number): number => (state = (state * 48271) % 2147483647) % n;

    async function lives(): Promise<void> {
      while (torture.started < terminations || !torture.wasBusy) {
        const worker = await torture.start();
        await sleep(random(25));
        await worker.terminate();
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lives));
    await torture.expectAllGivenBack();
  }, 3_600_000);

  test(`${AT_ONCE} busy workers for ${SECONDS} s, replaced one by one, seed ${SEED}`, async () => {
    const torture = new Torture(name);
    const workers = await Promise.all(Array.from({ length: AT_ONCE }, () => torture.start()));
    for (const end = Date.now() + SECONDS * 1000; Date.now() < end || !torture.wasBusy;) {
      const { endIndex } = torture.log;
      // Whoever holds the claim at present, all come by it again and again; were it stuck, this would hang.
      do {
        await sleep(REPLACED_AFTER_MS);
      } while (torture.log.endIndex === endIndex);
      await workers.shift()!.terminate();
      workers.push(await torture.start());
    }
    await Promise.all(workers.map((worker) => worker.terminate()));
    await torture.expectAllGivenBack();
    if (isLong) console.log(`${name}: ${torture.log.endIndex} entries, ${torture.checks} checks`);
  }, 3_600_000);

  test('the maker of the log is terminated first, and the others go on', async () => {
    for (let round = 0; round < ROUNDS; ++round) {
      const maker = startWorker('makeAndTorture', { seed: SEED + round, sort: name });
      const torture = new Torture(name, (await firstMessage(maker)) as LogHandle);
      const others = await Promise.all([torture.start(), torture.start()]);
      await sleep(round % 8);
      await maker.terminate();
      const { endIndex } = torture.log;
      while (torture.log.endIndex === endIndex) await sleep(1);
      await Promise.all(others.map((worker) => worker.terminate()));
      await torture.expectAllGivenBack();
      torture.log.close();
    }
  }, 3_600_000);

  test('all who have the log are terminated, in the middle of a call, and the log is gone', async () => {
    for (let round = 0; round < ROUNDS; ++round) {
      const maker = startWorker('makeAndTorture', { seed: SEED + round, sort: name });
      const handle = (await firstMessage(maker)) as LogHandle;
      const other = startWorker('torture', { handle, seed: SEED - round, sort: name });
      await firstMessage(other);
      await sleep(round % 8);
      await Promise.all([maker, other].map((worker) => worker.terminate()));
      const attach = (): AtomicLog<unknown> => AtomicLog.attach(handle, sorts[name]!.attach);
      await tornDown(() => {
        try {
          attach().close();
          return false;
        } catch {
          return true;
        }
      });
      expectError(attach, 'ERR_LOG_GONE', /gone/);
    }
  }, 3_600_000);
});
