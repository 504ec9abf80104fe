// A journaled log under scripts of operations at random, next to a model of it: an array of entries, how far they are
// published, and how far they are on disk.
import { AtomicLog, type JournaledLog } from 'atomic-log';

import { temporaryDirectory } from '../../support/segments';
import { sized } from '../../support/sizes';

const directory = temporaryDirectory();
const SCRIPTS = sized('JOURNAL_SCRIPTS', { small: 6, long: 400 });
const STEPS = 60;

const schema = { n: 'u32', x: 'f64', name: 'utf8' } as const;
interface Entry {
  n: number;
  x: number;
  name: string;
}
/** `life` tells entries of one index apart. */
const entryOf = (index: number, life: number): Entry => ({
  n: index,
  x: life + index / 7,
  name: 'x'.repeat(index % 50),
});

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

class Run {
  readonly #path: string;
  readonly #random: (below: number) => number;
  log!: JournaledLog<Entry>;
  readonly published: Entry[] = [];
  staged: Entry[] = [];
  /** Entries before it are on disk for certain. */
  durable = 0;
  oldest = 0;
  life = 0;

  constructor(path: string, random: (below: number) => number) {
    this.#path = path;
    this.#random = random;
  }

  async open(): Promise<void> {
    const random = this.#random;
    const durability = (['full', 'os', 'none'] as const)[random(3)]!;
    this.log = (await AtomicLog.open({
      wal: {
        path: this.#path,
        segmentBytes: 8192 << random(3),
        durability,
        bytesInFlightMax: 1 << (8 + random(12)),
      },
      schema,
      retainedCapacity: 1 + random(60),
      segmentCapacity: 1 + random(20),
      dataBytes: 50 + random(400),
    })) as unknown as JournaledLog<Entry>;
    ++this.life;
    expect(this.log.endIndex).toBe(this.published.length);
    expect(this.log.durableIndex).toBe(this.published.length);
    this.durable = this.published.length;
    this.checkWindow();
  }

  checkWindow(): void {
    const { log } = this;
    expect([log.endIndex, log.nextIndex]).toEqual([
      this.published.length,
      this.published.length + this.staged.length,
    ]);
    const snapshot = log.snapshot();
    expect([...snapshot]).toEqual(this.published.slice(snapshot.firstIndex));
    snapshot.close();
    expect(log.durableIndex).toBeGreaterThanOrEqual(this.durable);
    this.durable = log.durableIndex;
    expect(log.durableIndex).toBeLessThanOrEqual(log.endIndex);
    expect(log.oldestIndex).toBeGreaterThanOrEqual(this.oldest);
    this.oldest = log.oldestIndex;
  }

  next(): Entry {
    return entryOf(this.published.length + this.staged.length, this.life);
  }

  publishStaged(): void {
    this.published.push(...this.staged);
    this.staged = [];
  }

  /** An append publishes what is staged, and so does a roll. */
  append(): void {
    const entry = this.next();
    expect(this.log.append(entry)).toBe(entry.n);
    this.publishStaged();
    this.published.push(entry);
  }

  appendBatch(): void {
    const { length } = this.published;
    const first = length + this.staged.length;
    const entries = Array.from({ length: this.#random(70) }, (_, k) => entryOf(first + k, this.life));
    expect(this.log.appendBatch(entries)).toBe(first);
    this.publishStaged();
    this.published.push(...entries);
  }

  write(): void {
    const entry = this.next();
    expect(this.log.write(entry)).toBe(entry.n);
    this.staged.push(entry);
    // A roll has published those before.
    while (this.published.length < this.log.endIndex) this.published.push(this.staged.shift()!);
  }

  refuse(): void {
    const index = this.log.nextIndex;
    expect(() => this.log.append({ ...this.next(), n: -1 })).toThrow();
    expect(() => this.log.append({ ...this.next(), name: 'x'.repeat(1000) })).toThrow();
    expect(() => this.log.appendBatch([this.next(), { n: 1 } as Entry])).toThrow();
    expect(this.log.nextIndex).toBe(index);
  }

  async follow(): Promise<void> {
    // It would wait for an entry where all there were have been dropped by a checkpoint.
    if (Math.min(this.log.oldestIndex, this.log.firstIndex) >= this.published.length) return;
    let next = this.#random(this.published.length);
    let behind = 5;
    const batchEntriesMax = 1 + this.#random(100);
    for await (const batch of this.log.follow({ from: next, batchEntriesMax })) {
      const gap = batch.firstIndex - next;
      expect(batch.lost).toBe(gap);
      if (gap > 0) expect(batch.firstIndex).toBe(this.log.oldestIndex);
      const entries = this.published.slice(batch.firstIndex, batch.firstIndex + batch.length);
      expect([...batch]).toEqual(entries);
      next = batch.firstIndex + batch.length;
      if (next >= this.published.length) return;
      // It falls behind.
      if (behind > 0 && this.#random(4) === 0) {
        --behind;
        this.appendBatch();
      }
    }
  }

  async step(): Promise<void> {
    const { log } = this;
    const end = this.published.length;
    switch (this.#random(12)) {
      case 0:
      case 1:
        return this.append();
      case 2:
      case 3:
        return this.appendBatch();
      case 4:
        return this.write();
      case 5:
        log.publish();
        return this.publishStaged();
      case 6:
        return this.refuse();
      case 7:
        return this.follow();
      case 8:
        if (end === 0) return;
        await log.durable(this.#random(end));
        return;
      case 9:
        expect(await log.sync()).toBeGreaterThanOrEqual(end);
        return;
      case 10:
        return log.checkpoint(this.#random(end + 1), { force: this.#random(3) === 0 });
      default:
        if (this.#random(2) === 0) await log.close();
        else log.closeSync();
        this.publishStaged();
        return this.open();
    }
  }
}

test(
  `${SCRIPTS} scripts of ${STEPS} operations`,
  async () => {
    for (let script = 0; script < SCRIPTS; ++script) {
      const run = new Run(directory.path(`log-${script}`), randomNumbers(script + 1));
      await run.open();
      for (let i = 0; i < STEPS; ++i) {
        await run.step();
        run.checkWindow();
      }
      await run.log.close();
    }
  },
  SCRIPTS * 20_000,
);
