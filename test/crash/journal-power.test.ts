// A journaled log on a disk that loses power, or whose process is killed, at any operation, or that fails or is full:
// window and write-ahead log next to a model of both.
//
//  1. The entry with index i has LSN base + i. After a restart there are the entries before some index, each what was
//     given at its index; all that were said to be durable are among them.
//  2. What is refused has changed nothing: no index, no entry that anyone sees.
//  3. What was published can be read, whatever became of the disk; durableIndex never says more than a restart finds.
//  4. Followers have every entry once, from the disk and from memory.
import { describeOnDisk, disk, Fault } from '../support/simulated';

import { AtomicLog, type JournaledLog } from 'atomic-log';

import { sized } from '../support/sizes';

const SCRIPTS = sized('JOURNAL_POWER_SCRIPTS', { small: 10, long: 3000 });
const LIVES = 4;
const STEPS = 12;
const PATH = '/log';

/** Numbers from 0 to `below` - 1, the same ones for a seed (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const schema = { n: 'u32', life: 'u32', name: 'utf8' } as const;
interface Entry {
  n: number;
  life: number;
  name: string;
}

/** Of an error that the disk may be the reason of. */
const DISK_CODES = new Set([
  'ERR_POISONED',
  'ERR_IO',
  'ERR_NO_SPACE',
  'ERR_FILE_ACCESS',
  'ERR_LOG_CLOSED',
  'ERR_WRITER_CLOSED',
  'ERR_FILE_NOT_FOUND',
]);

function expectOfDisk(error: unknown): void {
  const { code, message } = error as { code?: string; message: string };
  if (code === undefined || !DISK_CODES.has(code)) throw error;
  expect(message).not.toBe('');
}

class Run {
  readonly #random: (below: number) => number;
  log: JournaledLog<Entry> | undefined;
  /** What was given for each index; those from `durable` on a crash may take back. */
  given: Entry[] = [];
  /** Entries before it were said to be durable. */
  durable = 0;
  /** No entry before it need be there: a checkpoint asked for that. */
  dropped = 0;
  /** Entries of `given` that can be read now. */
  published = 0;
  life = 0;
  readonly retainedCapacity: number;

  constructor(random: (below: number) => number) {
    this.#random = random;
    this.retainedCapacity = 5 + random(40);
  }

  options(): object {
    const random = this.#random;
    return {
      wal: {
        path: PATH,
        segmentBytes: 8192,
        durability: (['full', 'os', 'none'] as const)[random(3)]!,
        bytesInFlightMax: 1 << (8 + random(12)),
      },
      schema,
      retainedCapacity: this.retainedCapacity,
      segmentCapacity: 1 + random(15),
      dataBytes: 1500,
    };
  }

  /** Opens the log, unless the disk keeps it from that, and compares what is there. */
  async open(): Promise<boolean> {
    const options = this.options() as never;
    ++this.life;
    try {
      this.log = (this.#random(2) === 0
        ? AtomicLog.openSync(options)
        : await AtomicLog.open(options)) as unknown as JournaledLog<Entry>;
    } catch (error) {
      expectOfDisk(error);
      return false;
    }
    const { log } = this;
    const { endIndex } = log;
    expect(endIndex).toBeGreaterThanOrEqual(this.durable);
    expect(endIndex).toBeLessThanOrEqual(this.given.length);
    expect([log.base, log.nextIndex, log.durableIndex]).toEqual([1, endIndex, endIndex]);
    this.given.length = this.published = this.durable = endIndex;
    expect(log.oldestIndex).toBeLessThanOrEqual(this.dropped);
    this.checkWindow();
    const held = endIndex - log.firstIndex;
    expect(held).toBeGreaterThanOrEqual(Math.min(this.retainedCapacity, endIndex - log.oldestIndex));
    await this.follow(log.oldestIndex);
    return true;
  }

  checkWindow(): void {
    const log = this.log!;
    const snapshot = log.snapshot();
    expect([...snapshot]).toEqual(this.given.slice(snapshot.firstIndex, this.published));
    expect(snapshot.endIndex).toBe(this.published);
    snapshot.close();
    this.saysDurable(log.durableIndex);
  }

  saysDurable(index: number): void {
    expect(index).toBeLessThanOrEqual(this.published);
    this.durable = Math.max(this.durable, index);
  }

  next(at = this.given.length): Entry {
    return { n: at, life: this.life, name: 'x'.repeat((at * 7) % 60) };
  }

  /**
   * Has `store` give entries to the log. In the same turn of the microtasks nothing is lost between what the log says and
   * what the model knows.
   */
  give(entries: Entry[], store: () => unknown): void {
    const log = this.log!;
    const before = log.nextIndex;
    this.given.push(...entries);
    try {
      store();
    } catch (error) {
      expectOfDisk(error);
      // Those that the log did not take may be on the disk all the same, if the power is off: no one was told.
      if (disk.diskHasPower()) this.given.length = log.nextIndex;
      expect(log.nextIndex).toBeGreaterThanOrEqual(before);
      expect(log.nextIndex).toBeLessThanOrEqual(before + entries.length);
    }
    this.published = log.endIndex;
    expect(this.published).toBeLessThanOrEqual(log.nextIndex);
    this.checkWindow();
  }

  giveBatch(): void {
    const log = this.log!;
    const first = log.nextIndex;
    const entries = Array.from({ length: 1 + this.#random(60) }, (_, k) => this.next(first + k));
    this.give(entries, () => expect(log.appendBatch(entries)).toBe(first));
  }

  async told(promise: Promise<unknown>, isTrue: () => void): Promise<void> {
    try {
      await promise;
    } catch (error) {
      expectOfDisk(error);
      return;
    }
    isTrue();
  }

  /** Every entry from an index on, once, with its value; until the newest one, or an error. */
  async follow(from: number): Promise<void> {
    const log = this.log!;
    if (from >= this.published) return;
    let next = from;
    let behind = 3;
    const batchEntriesMax = 1 + this.#random(40);
    try {
      for await (const batch of log.follow({ from, batchEntriesMax })) {
        if (batch.firstIndex !== next) expect(next).toBeLessThan(Math.max(log.oldestIndex, this.dropped));
        const end = batch.firstIndex + batch.length;
        expect([...batch]).toEqual(this.given.slice(batch.firstIndex, end));
        next = end;
        if (next >= this.published) return;
        // It falls behind, perhaps behind the window.
        if (behind > 0 && this.#random(3) === 0) {
          --behind;
          this.giveBatch();
        }
      }
    } catch (error) {
      expectOfDisk(error);
      // All that can be read in memory was delivered, or the disk did not give what is on it.
      if (disk.diskHasPower() && next >= log.firstIndex) expect(next).toBe(this.published);
    }
  }

  async step(): Promise<void> {
    const log = this.log!;
    const random = this.#random;
    switch (random(10)) {
      case 0:
      case 1:
      case 2: {
        const entry = this.next(log.nextIndex);
        return this.give([entry], () => expect(log.append(entry)).toBe(entry.n));
      }
      case 3:
      case 4:
        return this.giveBatch();
      case 5: {
        const first = log.nextIndex;
        const entries = Array.from({ length: 1 + random(8) }, (_, k) => this.next(first + k));
        this.give(entries, () => entries.forEach((entry) => expect(log.write(entry)).toBe(entry.n)));
        return this.give([], () => log.publish());
      }
      case 6: {
        if (this.published === 0) return;
        const index = random(this.published);
        return this.told(log.durable(index), () => this.saysDurable(index + 1));
      }
      case 7: {
        const { published } = this;
        return this.told(log.sync(), () => this.saysDurable(published));
      }
      case 8: {
        const index = random(this.published + 1);
        // It stops before the window, which must be there after a restart.
        this.dropped = Math.max(this.dropped, Math.min(index, log.firstIndex));
        return this.told(log.checkpoint(index), () => undefined);
      }
      default:
        return this.follow(Math.max(log.oldestIndex, random(this.published + 1)));
    }
  }

  /** A life that ends at the operation of this number, or before. */
  async live(operation: number): Promise<void> {
    const random = this.#random;
    const fault = random(6) === 0 ? (random(2) === 0 ? Fault.once : Fault.forever) : Fault.powerOff;
    disk.failDiskAt(operation, fault);
    if (await this.open()) {
      for (let i = 0; i < STEPS && disk.diskHasPower(); ++i) {
        if (random(12) === 0) disk.setDiskFull(random(2) === 0);
        await this.step();
        if (random(3) === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      disk.setDiskFull(false);
      await this.end();
    }
    disk.restartDisk(random(2 ** 30), random(3) > 0);
  }

  /** As the process ends: with a close, or without. */
  async end(): Promise<void> {
    const log = this.log!;
    this.log = undefined;
    if (this.#random(2) === 0) disk.failDiskAt(0, Fault.powerOff);
    const { published } = this;
    const hadAll = log.nextIndex === published;
    try {
      await log.close();
      if (hadAll) this.durable = published;
    } catch (error) {
      expectOfDisk(error);
    }
    expect(log.isClosed).toBe(true);
  }
}

async function script(
  seed: number,
  operationOf: (life: number, random: (below: number) => number) => number,
) {
  const random = randomNumbers(seed);
  disk.beginDisk();
  const run = new Run(random);
  for (let life = 0; life < LIVES; ++life) await run.live(operationOf(life, random));
  disk.failDiskAt(0, Fault.none);
  expect(await run.open()).toBe(true);
  await run.log!.close();
}

describeOnDisk('the power goes off, the process is killed, or the disk fails', () => {
  test(
    `${SCRIPTS} scripts of ${LIVES} lives, at any operation`,
    async () => {
      for (let seed = 1; seed <= SCRIPTS; ++seed) {
        try {
          await script(seed, (_, random) => random(random(2) === 0 ? 60 : 400));
        } catch (error) {
          (error as Error).message = `script ${seed}: ${(error as Error).message}`;
          throw error;
        }
      }
    },
    SCRIPTS * 10_000,
  );

  test('one script, at every operation of its first life', async () => {
    const count = sized('JOURNAL_POWER_OPERATIONS', { small: 10, long: 1000 });
    for (let operation = 0; operation < count; ++operation) {
      await script(4711, (life) => (life === 0 ? operation : 10_000));
    }
  }, 600_000);
});
