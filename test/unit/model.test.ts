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
  type Cursor,
  type Entries,
  type NumberLogOptions,
  type Snapshot,
  type SnapshotChange,
  type Span,
  type Writer,
} from 'atomic-log';

import { bounds } from '../support/logs';
import { collectGarbage, collectUntil, detach, nextTurn, tryTransfer } from '../support/memory';

type Column = Record<number, unknown> & { readonly buffer: ArrayBufferLike };

/** A kind of log: what entry number `n` is, and how entries are taken apart and put together. */
interface Kind {
  readonly name: string;
  readonly make: (capacities: Capacities) => AtomicLog<unknown>;
  readonly entry: (n: number) => unknown;
  /** The forms that a batch of entries may take. */
  readonly batches: readonly ((entries: readonly unknown[]) => unknown)[];
  readonly columns: (view: Chunk<unknown> | Span<unknown>) => Column[];
  /** The values of an entry, one per column, and back. */
  readonly split: (entry: unknown) => unknown[];
  readonly join: (values: readonly unknown[]) => unknown;
  readonly entryAt: (cursor: Cursor<unknown>) => unknown;
}

interface Capacities {
  readonly retainedCapacity: number;
  readonly segmentCapacity: number;
}

const asArray = (entries: readonly unknown[]): unknown => entries;
const asGenerator = (entries: readonly unknown[]): unknown => entries.values();

function ofScalars(
  type: 'f64' | 'i32' | 'u64',
  entry: (n: number) => unknown,
  asTypedArray: (entries: readonly unknown[]) => unknown,
): Kind {
  return {
    name: type,
    make: (capacities) => new AtomicLog({ ...capacities, type } as NumberLogOptions) as AtomicLog<unknown>,
    entry,
    batches: [asArray, asGenerator, asTypedArray],
    columns: (view) => [view.values as unknown as Column],
    split: (entry) => [entry],
    join: ([value]) => value,
    entryAt: (cursor) => cursor.value,
  };
}

interface Row {
  a: number;
  b: bigint;
  c: number;
}

const rows: Kind = {
  name: 'records',
  make: (capacities) => {
    const log = new AtomicLog({ ...capacities, schema: { a: 'f32', b: 'i64', c: 'u16' } });
    return log as unknown as AtomicLog<unknown>;
  },
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
  columns: (view) => ['a', 'b', 'c'].map((name) => view.column(name as never) as Column),
  split: (entry) => Object.values(entry as Row),
  join: ([a, b, c]) => ({ a, b, c }),
  entryAt: (cursor) => rows.join(['a', 'b', 'c'].map((name) => cursor.get(name as never))),
};

const kinds: readonly Kind[] = [
  ofScalars(
    'f64',
    (n) => n,
    (entries) => Float64Array.from(entries as number[]),
  ),
  ofScalars(
    'i32',
    (n) => ~n,
    (entries) => Int32Array.from(entries as number[]),
  ),
  ofScalars(
    'u64',
    (n) => 2n ** 63n + BigInt(n),
    (entries) => BigUint64Array.from(entries as bigint[]),
  ),
  rows,
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
    this.makeRoom();
    this.history.push(entry);
  }

  /** Begins a segment, if the head is full, and returns how many entries have room. */
  makeRoom(): number {
    if (this.next === this.#firstOf(this.head + 1)) {
      this.publish();
      ++this.head;
    }
    return this.#firstOf(this.head + 1) - this.next;
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

  reserve(a: number, b: number): void {
    if (this.#writer === null) return;
    const length = Math.min(a + 1, this.#model.makeRoom());
    const span = this.#writer.reserve(a + 1);
    expectSame([span.firstIndex, span.length], [this.#model.next, length]);
    const entries = Array.from({ length }, () => this.#newEntry());
    const columns = this.#kind.columns(span);
    entries.forEach((entry, i) => {
      this.#kind.split(entry).forEach((value, column) => (columns[column]![i] = value));
    });
    const index = this.#model.next;
    const count = b % (length + 1);
    this.#model.history.push(...entries.slice(0, count));
    this.#model.publish();
    if (b % 5 === 1) detach(columns[0]!.buffer);
    expectSame(this.#writer.commit(count), index);
    if (b % 5 === 2) detach(columns[0]!.buffer);
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
      if (chunk !== undefined) (b % 2 === 0 ? detach : tryTransfer)(this.#kind.columns(chunk)[0]!.buffer);
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
    expectSame(this.#log.latest(), end === first ? undefined : this.#model.history[end - 1]);
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
    expectSame(this.#walk(real), expected);
    const chunks = real.chunks();
    expectSame(
      chunks.map(({ sequence, firstIndex, length }) => [sequence, firstIndex, length]),
      this.#model.chunks(model),
    );
    expectSame(
      chunks.flatMap((chunk) => this.#read(chunk)),
      expected,
    );
    expectSame(
      chunks.flatMap((chunk) => Array.from({ length: chunk.length }, (_, i) => chunk.at(i))),
      expected,
    );
  }

  /** The entries of a chunk, through its typed arrays. */
  #read(chunk: Chunk<unknown>): unknown[] {
    const columns = this.#kind.columns(chunk);
    return Array.from({ length: chunk.length }, (_, i) =>
      this.#kind.join(columns.map((column) => column[i])),
    );
  }

  #walk(snapshot: Snapshot<unknown>): unknown[] {
    const cursor = snapshot.cursor();
    const entries: unknown[] = [];
    while (cursor.next()) {
      expectSame(cursor.index, snapshot.firstIndex + entries.length);
      entries.push(this.#kind.entryAt(cursor));
    }
    return entries;
  }

  #compareKept(): void {
    for (const { chunk, expected } of this.#kept) {
      // A chunk may have lost its memory to a transfer.
      if (this.#kind.columns(chunk)[0]!.buffer.byteLength > 0) expectSame(this.#read(chunk), expected);
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
  'reserve',
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

/** Far more than a property takes; it bounds the search for a small counterexample when one fails. */
const SHRINK_MS = 20_000;

describe.each(kinds)('a log of $name', (kind) => {
  test.each(capacities)(
    'does what an array would, with $retainedCapacity entries in segments of $segmentCapacity',
    async (size) => {
      await fc.assert(
        fc.asyncProperty(runsOf(stepNames), (steps) => new Player(kind, size).play(steps)),
        { numRuns: 100, interruptAfterTimeLimit: SHRINK_MS },
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
      { numRuns: 5, interruptAfterTimeLimit: SHRINK_MS },
    );
  });
});
