/**
 * Random use of the whole API, compared step by step with a model that is a
 * plain array and the arithmetic of the documentation.
 */
// jest's own matchers would take most of the time of so many comparisons.
import { deepStrictEqual as expectSame } from 'node:assert';

import fc from 'fast-check';
import {
  AtomicLog,
  type Chunk,
  type Entries,
  type Snapshot,
  type SnapshotChange,
  type Writer,
} from 'atomic-log';

import { bounds } from '../support/logs';
import { collectGarbage, collectUntil, detach, nextTurn, tryTransfer } from '../support/memory';

/** A kind of log: what entry number `n` is, and the forms that a batch of entries may take. */
interface Kind {
  readonly name: string;
  readonly make: (capacities: Capacities) => AtomicLog<unknown>;
  readonly entry: (n: number) => unknown;
  readonly batches: readonly ((entries: readonly unknown[]) => unknown)[];
  /** The entries of a chunk, read through its typed arrays. */
  readonly read: (chunk: Chunk<unknown>) => unknown[];
  readonly bufferOf: (chunk: Chunk<unknown>) => ArrayBufferLike;
}

interface Capacities {
  readonly retainedCapacity: number;
  readonly segmentCapacity: number;
}

const asArray = (entries: readonly unknown[]): unknown => entries;
const asGenerator = (entries: readonly unknown[]): unknown => entries.values();

function ofNumbers(name: 'f64' | 'i32', fromNumbers: (entries: readonly number[]) => unknown): Kind {
  const batches = [asArray, asGenerator, fromNumbers as (entries: readonly unknown[]) => unknown];
  return {
    name,
    make: (capacities) => new AtomicLog({ ...capacities, type: name }) as AtomicLog<unknown>,
    entry: (n) => n,
    batches,
    bufferOf: (chunk) => valuesOf(chunk).buffer,
    read: (chunk) => Array.from(valuesOf(chunk)),
  };
}

function valuesOf(chunk: unknown): Iterable<unknown> & { buffer: ArrayBufferLike } {
  return (chunk as { values: Iterable<unknown> & { buffer: ArrayBufferLike } }).values;
}

interface Row {
  a: number;
  b: bigint;
  c: number;
}

interface RowChunk {
  length: number;
  column(name: string): ArrayLike<unknown> & { buffer: ArrayBufferLike };
}

const kinds: readonly Kind[] = [
  ofNumbers('f64', (entries) => Float64Array.from(entries)),
  ofNumbers('i32', (entries) => Int32Array.from(entries)),
  {
    name: 'u64',
    make: (capacities) => new AtomicLog({ ...capacities, type: 'u64' }) as AtomicLog<unknown>,
    entry: (n) => 2n ** 63n + BigInt(n),
    batches: [asArray, asGenerator, (entries) => BigUint64Array.from(entries as bigint[])],
    bufferOf: (chunk) => valuesOf(chunk).buffer,
    read: (chunk) => Array.from(valuesOf(chunk)),
  },
  {
    name: 'records',
    make: (capacities) =>
      new AtomicLog({
        ...capacities,
        schema: { a: 'f32', b: 'i64', c: 'u16' },
      }) as unknown as AtomicLog<unknown>,
    entry: (n) => ({ a: n / 2, b: BigInt(-n), c: n }),
    batches: [
      asArray,
      asGenerator,
      (entries) => ({
        a: Float32Array.from(entries as Row[], ({ a }) => a),
        b: BigInt64Array.from(entries as Row[], ({ b }) => b),
        c: Uint16Array.from(entries as Row[], ({ c }) => c),
      }),
    ],
    bufferOf: (chunk) => (chunk as unknown as RowChunk).column('b').buffer,
    read: (chunk) => {
      const { length } = chunk;
      const [a, b, c] = ['a', 'b', 'c'].map((name) => (chunk as unknown as RowChunk).column(name));
      return Array.from({ length }, (_, i) => ({ a: a![i], b: b![i], c: c![i] }));
    },
  },
];

/** What a snapshot should be: it holds entries [first, end), and its head was segment `head`. */
interface SnapshotModel {
  first: number;
  end: number;
  head: number;
}

/** The log as arithmetic: every entry that was ever stored, at its index. */
class Model {
  readonly history: unknown[] = [];
  /** Entries before it are published. */
  end = 0;
  /** Sequence of the head segment. */
  head = 0;
  readonly #segmentCapacity: number;
  readonly #retainedSegments: number;

  constructor({ retainedCapacity, segmentCapacity }: Capacities) {
    this.#segmentCapacity = segmentCapacity;
    this.#retainedSegments = Math.ceil(retainedCapacity / segmentCapacity) + 1;
  }

  get next(): number {
    return this.history.length;
  }

  get rolls(): number {
    return this.head;
  }

  get retainedSegments(): number {
    return Math.min(this.head + 1, this.#retainedSegments);
  }

  /** First index of the window. */
  get first(): number {
    return this.#firstOf(Math.max(0, this.head - this.#retainedSegments + 1));
  }

  #firstOf(sequence: number): number {
    return sequence * this.#segmentCapacity;
  }

  write(entry: unknown): void {
    if (this.next === this.#firstOf(this.head + 1)) {
      this.publish();
      ++this.head;
    }
    this.history.push(entry);
  }

  publish(): void {
    this.end = this.next;
  }

  /** The writer is closed: what is not published is dropped. */
  drop(): void {
    this.history.length = this.end;
  }

  snapshot(): SnapshotModel {
    return { first: this.first, end: this.end, head: this.head };
  }

  refresh(snapshot: SnapshotModel): SnapshotChange {
    const { end } = snapshot;
    Object.assign(snapshot, this.snapshot());
    return {
      appended: snapshot.end - Math.max(end, snapshot.first),
      lost: Math.max(0, snapshot.first - end),
    };
  }

  extend(snapshot: SnapshotModel): SnapshotChange {
    // The segment after the one that was its head must still be there.
    if (this.head > snapshot.head && this.#firstOf(snapshot.head + 1) < this.first)
      return this.refresh(snapshot);
    const appended = this.end - snapshot.end;
    snapshot.end = this.end;
    snapshot.head = this.head;
    return { appended, lost: 0 };
  }

  entries({ first, end }: Pick<SnapshotModel, 'first' | 'end'>): unknown[] {
    return this.history.slice(first, end);
  }

  /** [sequence, firstIndex, length] of each chunk. */
  chunks({ first, end }: SnapshotModel): [number, number, number][] {
    const chunks: [number, number, number][] = [];
    for (let index = first; index < end; index += this.#segmentCapacity) {
      chunks.push([index / this.#segmentCapacity, index, Math.min(this.#segmentCapacity, end - index)]);
    }
    return chunks;
  }
}

interface OpenSnapshot {
  readonly real: Snapshot<unknown>;
  readonly model: SnapshotModel;
}

type Step = readonly [name: keyof Player, a: number, b: number];

/** Plays steps on a log and its model at once. Numbers choose among what there is. */
class Player {
  readonly #kind: Kind;
  readonly #model: Model;
  readonly #log: AtomicLog<unknown>;
  readonly #attached: AtomicLog<unknown>;
  #writer: Writer<unknown> | null = null;
  readonly #open: OpenSnapshot[] = [];
  /** Chunks of snapshots that were dropped without close(). */
  #kept: { readonly chunk: Chunk<unknown>; readonly expected: unknown[] }[] = [];
  #hasDropped = false;
  #made = 0;

  constructor(kind: Kind, capacities: Capacities) {
    this.#kind = kind;
    this.#model = new Model(capacities);
    this.#log = kind.make(capacities);
    this.#attached = AtomicLog.attach(this.#log.handle);
  }

  claim(a: number): void {
    const writer = (a % 2 === 0 ? this.#log : this.#attached).tryClaimWriter();
    if (this.#writer !== null) {
      expectSame(writer, null);
    } else {
      this.#writer = writer;
      expectSame(writer!.nextIndex, this.#model.next);
    }
  }

  closeWriter(): void {
    this.#writer?.close();
    this.#writer = null;
    this.#model.drop();
  }

  append(): void {
    if (this.#writer === null) return;
    const entry = this.#newEntry();
    const index = this.#model.next;
    this.#model.write(entry);
    this.#model.publish();
    expectSame(this.#writer.append(entry), index);
  }

  write(a: number): void {
    if (this.#writer === null) return;
    for (let i = 0; i <= a % 4; ++i) {
      const entry = this.#newEntry();
      const index = this.#model.next;
      this.#model.write(entry);
      expectSame(this.#writer.write(entry), index);
    }
  }

  publish(): void {
    this.#writer?.publish();
    if (this.#writer !== null) this.#model.publish();
  }

  appendBatch(a: number, b: number): void {
    if (this.#writer === null) return;
    const entries = Array.from({ length: b }, () => this.#newEntry());
    const index = this.#model.next;
    for (const entry of entries) this.#model.write(entry);
    this.#model.publish();
    const { batches } = this.#kind;
    const batch = batches[a % batches.length]!(entries);
    expectSame(this.#writer.appendBatch(batch as Entries<unknown>), index);
  }

  snapshot(a: number): void {
    const real = (a % 2 === 0 ? this.#log : this.#attached).snapshot();
    this.#open.push({ real, model: this.#model.snapshot() });
  }

  refresh(a: number): void {
    this.#withSnapshot(a, ({ real, model }) => expectSame(real.refresh(), this.#model.refresh(model)));
  }

  extend(a: number): void {
    this.#withSnapshot(a, ({ real, model }) => expectSame(real.extend(), this.#model.extend(model)));
  }

  clone(a: number): void {
    this.#withSnapshot(a, ({ real, model }) => this.#open.push({ real: real.clone(), model: { ...model } }));
  }

  close(a: number): void {
    this.#withSnapshot(a, (snapshot) => {
      snapshot.real.close();
      this.#open.splice(this.#open.indexOf(snapshot), 1);
    });
  }

  /** Takes the ArrayBuffer of a chunk away, as code that posts or streams it would. */
  transfer(a: number, b: number): void {
    this.#withSnapshot(a, ({ real }) => {
      const chunks = real.chunks();
      const chunk = chunks[b % Math.max(1, chunks.length)];
      if (chunk !== undefined) (b % 2 === 0 ? detach : tryTransfer)(this.#kind.bufferOf(chunk));
    });
  }

  /** Drops a snapshot without close(), and keeps one of its chunks. */
  drop(a: number, b: number): void {
    this.#withSnapshot(a, (snapshot) => {
      const chunks = snapshot.real.chunks();
      const chunk = chunks[b % Math.max(1, chunks.length)];
      if (chunk !== undefined) {
        const first = chunk.firstIndex;
        this.#kept.push({ chunk, expected: this.#model.entries({ first, end: first + chunk.length }) });
      }
      this.#open.splice(this.#open.indexOf(snapshot), 1);
      this.#hasDropped = true;
    });
  }

  async collect(): Promise<void> {
    await collectGarbage(1);
    this.#compareKept();
  }

  /** The library lets go of its last window then. */
  async endTurn(): Promise<void> {
    await nextTurn();
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const [name, a, b] of steps) {
      await this[name](a as never, b as never);
      this.#compare(a, b);
    }
    for (const { real, model } of this.#open) this.#compareEntries(real, model);
    await this.#finish();
  }

  #newEntry(): unknown {
    return this.#kind.entry(this.#made++);
  }

  #withSnapshot(a: number, use: (snapshot: OpenSnapshot) => void): void {
    const snapshot = this.#open[a % Math.max(1, this.#open.length)];
    if (snapshot !== undefined) use(snapshot);
  }

  #compare(a: number, b: number): void {
    const { first, end, next, rolls, retainedSegments } = this.#model;
    expectSame(bounds(this.#log), [first, end]);
    expectSame(bounds(this.#attached), [first, end]);
    expectSame(this.#log.isWriterClaimed, this.#writer !== null);
    if (this.#writer !== null) expectSame(this.#writer.nextIndex, next);
    const stats = this.#log.stats();
    expectSame([stats.rolls, stats.retainedSegments], [rolls, retainedSegments]);
    for (const { real, model } of this.#open) expectSame(bounds(real), [model.first, model.end]);
    // One snapshot in full, by one of the ways to read it.
    this.#withSnapshot(a, ({ real, model }) => {
      const expected = this.#model.entries(model);
      expectSame(real.length, expected.length);
      if (b % 3 === 0) expectSame([...real], expected);
      if (b % 3 === 1)
        expectSame(
          expected.map((_, i) => real.at(i)),
          expected,
        );
      if (b % 3 === 2)
        expectSame(
          expected.map((_, i) => real.get(model.first + i)),
          expected,
        );
      expectSame([real.at(b), real.at(-b - 1)], [expected[b], expected.at(-b - 1)]);
      expectSame([real.get(model.first - 1), real.get(model.end)], [undefined, undefined]);
    });
  }

  #compareEntries(real: Snapshot<unknown>, model: SnapshotModel): void {
    const expected = this.#model.entries(model);
    expectSame([...real], expected);
    const chunks = real.chunks();
    expectSame(
      chunks.map(({ sequence, firstIndex, length }) => [sequence, firstIndex, length]),
      this.#model.chunks(model),
    );
    expectSame(
      chunks.flatMap((chunk) => this.#kind.read(chunk)),
      expected,
    );
    expectSame(
      chunks.flatMap((chunk) => Array.from({ length: chunk.length }, (_, i) => chunk.at(i))),
      expected,
    );
  }

  #compareKept(): void {
    for (const { chunk, expected } of this.#kept) {
      // A chunk may have lost its memory to a transfer.
      if (this.#kind.bufferOf(chunk).byteLength > 0) expectSame(this.#kind.read(chunk), expected);
    }
  }

  async #finish(): Promise<void> {
    for (const { real } of this.#open) real.close();
    this.#attached.close();
    this.#compareKept();
    this.#kept = [];
    await nextTurn();
    const isUnpinned = (): boolean => {
      const { pinnedHere, pinnedSegments } = this.#log.stats();
      return pinnedHere === 0 && pinnedSegments === 0;
    };
    if (this.#hasDropped) await collectUntil('the pins of dropped snapshots come back', isUnpinned);
    expectSame(isUnpinned(), true);
    this.#writer?.close();
    this.#log.close();
  }
}

const stepNames: readonly (keyof Player)[] = [
  'claim',
  'claim',
  'closeWriter',
  'append',
  'append',
  'write',
  'write',
  'publish',
  'appendBatch',
  'appendBatch',
  'snapshot',
  'snapshot',
  'refresh',
  'refresh',
  'extend',
  'extend',
  'clone',
  'close',
  'transfer',
  'endTurn',
];

/** Steps of a whole run. Without a writer nothing happens, so that every run begins with one. */
function runsOf(names: readonly (keyof Player)[]): fc.Arbitrary<Step[]> {
  const step = fc.tuple(fc.constantFrom(...names), fc.nat(7), fc.nat(20));
  return fc.array(step, { maxLength: 80, size: 'max' }).map((steps) => [['claim', 0, 0], ...steps]);
}

const capacities: readonly Capacities[] = [
  { retainedCapacity: 1, segmentCapacity: 1 },
  { retainedCapacity: 8, segmentCapacity: 4 },
  { retainedCapacity: 7, segmentCapacity: 3 },
  { retainedCapacity: 5, segmentCapacity: 16 },
];

describe.each(kinds)('a log of $name', (kind) => {
  test.each(capacities)(
    'does what an array would, with $retainedCapacity entries in segments of $segmentCapacity',
    async (size) => {
      await fc.assert(
        fc.asyncProperty(runsOf(stepNames), (steps) => new Player(kind, size).play(steps)),
        { numRuns: 150 },
      );
    },
  );

  test('does so too when snapshots are dropped without close()', async () => {
    // Collecting garbage is slow, so that there are few of these.
    const size = { retainedCapacity: 8, segmentCapacity: 4 };
    await fc.assert(
      fc.asyncProperty(runsOf([...stepNames, 'drop', 'drop', 'collect']), (steps) =>
        new Player(kind, size).play(steps),
      ),
      { numRuns: 5 },
    );
  });
});
