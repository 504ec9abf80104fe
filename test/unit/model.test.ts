/**
 * Random use of the whole API, compared step by step with a model that is a
 * plain array and the arithmetic of the documentation.
 */
// jest's own matchers would take most of the time of so many comparisons.
import { deepStrictEqual as expectSame } from 'node:assert';

import fc from 'fast-check';
import {
  AtomicLog,
  bytes,
  json,
  structured,
  utf8,
  type Chunk,
  type Codec,
  type Cursor,
  type Entries,
  type NumberLogOptions,
  type Snapshot,
  type SnapshotChange,
  type Span,
  type Writer,
} from 'atomic-log';

import { thrownBy } from '../support/errors';
import { bounds } from '../support/logs';
import { collectGarbage, collectUntil, detach, nextTurn, tryTransfer } from '../support/memory';

type Column = Record<number, unknown> & { readonly buffer: ArrayBufferLike };

/** A kind of log: what entry number `n` is, and how entries are taken apart and put together. */
interface Kind {
  readonly name: string;
  readonly make: (capacities: Capacities) => AtomicLog<unknown>;
  /** What those need who attach. */
  readonly codec?: Codec<unknown>;
  /** Bytes of the entry in each field of variable size. */
  readonly sizes: (entry: unknown) => number[];
  /** Values that the log refuses. */
  readonly refused: readonly unknown[];
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

/** Bytes of a segment for each field of variable size: a few entries. */
const SEGMENT_BYTES = 24;
const TOO_LONG = 'x'.repeat(SEGMENT_BYTES + 1);

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
    sizes: () => [],
    refused: ['1', undefined],
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
  sizes: () => [],
  refused: [{ a: 1, b: 1n, c: -1 }, { a: 1 }],
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

/** The values of a field of variable size, where typed arrays are expected. */
function listOf(column: { readonly data: Uint8Array } & Iterable<unknown>): Column {
  return Object.assign([...column], { buffer: column.data.buffer }) as unknown as Column;
}

/** Texts of up to eleven bytes, not all ASCII. */
const textOf = (n: number): string => 'é€'.slice(0, n % 3).repeat((n * 7) % 3) + String(n % 10);
const bytesOf = (n: number): Uint8Array => new Uint8Array((n * 5) % 9).fill(n);

interface Line {
  text: string;
  n: number;
  raw: Uint8Array;
}

const lines: Kind = {
  name: 'records with strings and bytes',
  make: (capacities) => {
    const schema = { text: 'utf8', n: 'i16', raw: 'bytes' } as const;
    const log = new AtomicLog({ ...capacities, schema, segmentBytes: SEGMENT_BYTES });
    return log as unknown as AtomicLog<unknown>;
  },
  sizes: (entry) => [Buffer.byteLength((entry as Line).text), (entry as Line).raw.length],
  refused: [
    { text: TOO_LONG, n: 1, raw: bytesOf(1) },
    { text: 1, n: 1, raw: bytesOf(1) },
    { text: '', n: 1, raw: new Uint8Array(SEGMENT_BYTES + 1) },
  ],
  entry: (n) => ({ text: textOf(n), n, raw: bytesOf(n) }),
  batches: [
    asArray,
    asGenerator,
    (entries) => ({
      text: (entries as Line[]).map(({ text }) => text),
      n: Int16Array.from(entries as Line[], ({ n }) => n),
      raw: {
        offsets: Int32Array.from([0, ...(entries as Line[])], (_, i) =>
          (entries as Line[]).slice(0, i).reduce((sum, { raw }) => sum + raw.length, 0),
        ),
        data: new Uint8Array(Buffer.concat((entries as Line[]).map(({ raw }) => raw))),
      },
    }),
  ],
  columns: (view) => {
    const chunk = view as Chunk<Line>;
    return [
      listOf(chunk.column('text')),
      chunk.column('n') as unknown as Column,
      listOf(chunk.column('raw')),
    ];
  },
  split: (entry) => Object.values(entry as Line),
  join: ([text, n, raw]) => ({ text, n, raw }),
  entryAt: (cursor) => lines.join(['text', 'n', 'raw'].map((name) => cursor.get(name as never))),
};

function ofCodec<T>(
  codec: Codec<T>,
  entry: (n: number) => T,
  encode: (value: T) => Uint8Array,
  refused: readonly unknown[],
): Kind {
  return {
    name: `the codec ${codec.name}`,
    make: (capacities) =>
      new AtomicLog({ ...capacities, codec, segmentBytes: SEGMENT_BYTES }) as unknown as AtomicLog<unknown>,
    codec: codec as Codec<unknown>,
    sizes: (value) => [encode(value as T).length],
    refused,
    entry,
    batches: [asArray, asGenerator],
    columns: (view) => [listOf((view as Chunk<T>).encoded)],
    split: (value) => [value],
    join: ([value]) => value,
    entryAt: (cursor) => cursor.value,
  };
}

interface Pair {
  n: number;
  text: string;
}

/** A user's codec that writes in place, throws half-way, and uses its memory again. */
const scratch = new Uint8Array(64);
const pairs: Codec<Pair> = {
  name: 'pairs',
  encode(value) {
    return scratch.slice(0, this.encodeInto!(value, scratch));
  },
  encodeInto({ n, text }, target) {
    if (target.length === 0) return -1;
    target[0] = n;
    target.fill(0xff, 1);
    if (text === 'throw') throw new Error('half-way');
    const { read, written } = new TextEncoder().encodeInto(text, target.subarray(1));
    return read < text.length ? -1 : 1 + written;
  },
  decode: (view) => ({ n: view[0]!, text: new TextDecoder().decode(view.subarray(1)) }),
};

const kinds: readonly Kind[] = [
  lines,
  ofCodec(utf8, textOf, (text) => Buffer.from(text), [TOO_LONG, 1]),
  ofCodec(bytes, bytesOf, (value) => value, [Buffer.from(TOO_LONG), 'text']),
  ofCodec(
    json<object>(),
    (n) => [textOf(n)],
    (value) => Buffer.from(JSON.stringify(value)),
    [TOO_LONG, undefined],
  ),
  ofCodec(
    structured<unknown>(),
    (n) => textOf(n),
    (value) => structured().encode(value),
    [TOO_LONG, () => 1],
  ),
  ofCodec(
    pairs,
    (n) => ({ n: n % 256, text: textOf(n) }),
    (value) => pairs.encode(value),
    [
      { n: 1, text: 'throw' },
      { n: 1, text: TOO_LONG },
    ],
  ),
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
  /** Index of the first entry of each segment. */
  readonly #starts: number[] = [0];
  readonly #segmentCapacity: number;
  readonly #retainedSegments: number;
  readonly #sizes: (entry: unknown) => number[];

  constructor({ retainedCapacity, segmentCapacity }: Capacities, sizes: (entry: unknown) => number[]) {
    this.#segmentCapacity = segmentCapacity;
    this.#sizes = sizes;
    this.#retainedSegments = Math.ceil(retainedCapacity / segmentCapacity) + 1;
  }

  get next(): number {
    return this.history.length;
  }

  /** Sequence of the head segment. */
  get head(): number {
    return this.#starts.length - 1;
  }

  get rolls(): number {
    return this.head;
  }

  /** Segments that had room for more entries, but not for the bytes of the next. */
  get earlySeals(): number {
    const capacity = this.#segmentCapacity;
    return this.#starts.filter((start, i) => i > 0 && start - this.#starts[i - 1]! < capacity).length;
  }

  get retainedSegments(): number {
    return Math.min(this.head + 1, this.#retainedSegments);
  }

  /** First index of the window. */
  get first(): number {
    return this.#firstOf(Math.max(0, this.head - this.#retainedSegments + 1));
  }

  #firstOf(sequence: number): number {
    return this.#starts[sequence]!;
  }

  write(entry: unknown): void {
    this.makeRoom(this.#sizes(entry));
    this.history.push(entry);
  }

  /**
   * Begins a segment, if the head is full or has no room for an entry of these
   * sizes, and returns how many entries have room.
   */
  makeRoom(sizes: readonly number[] = []): number {
    const entries = this.history.slice(this.#firstOf(this.head)).map(this.#sizes);
    const isFull = sizes.some(
      (size, field) => entries.reduce((sum, entry) => sum + entry[field]!, size) > SEGMENT_BYTES,
    );
    if (isFull || entries.length === this.#segmentCapacity) {
      this.publish();
      this.#starts.push(this.next);
    }
    return this.#firstOf(this.head) + this.#segmentCapacity - this.next;
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
    return this.#starts.flatMap((start, sequence): [number, number, number][] => {
      const begin = Math.max(start, first);
      const length = Math.min(this.#starts[sequence + 1] ?? end, end) - begin;
      return length > 0 ? [[sequence, begin, length]] : [];
    });
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
    this.#model = new Model(capacities, kind.sizes);
    this.#log = kind.make(capacities);
    this.#attached = AtomicLog.attach(
      this.#log.handle,
      kind.codec === undefined ? {} : { codec: kind.codec },
    );
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

  /** What is refused changes nothing: the comparison after the step sees it. */
  refuse(a: number, b: number): void {
    const writer = this.#writer;
    if (writer === null) return;
    const { refused, entry } = this.#kind;
    const value = refused[a % refused.length];
    const ways = [
      () => writer.append(value),
      () => writer.write(value),
      () => writer.appendBatch([entry(a), entry(b), value]),
    ];
    thrownBy(ways[b % 3]!);
  }

  reserve(a: number, b: number): void {
    if (this.#writer === null || this.#kind.sizes(this.#kind.entry(0)).length > 0) return;
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
    const { first, end, next, rolls, earlySeals, retainedSegments } = this.#model;
    expectSame(bounds(this.#log), [first, end]);
    expectSame(bounds(this.#attached), [first, end]);
    expectSame(this.#log.latest(), end === first ? undefined : this.#model.history[end - 1]);
    expectSame(this.#log.isWriterClaimed, this.#writer !== null);
    if (this.#writer !== null) expectSame(this.#writer.nextIndex, next);
    const stats = this.#log.stats();
    expectSame(
      [stats.rolls, stats.earlySeals, stats.retainedSegments],
      [rolls, earlySeals, retainedSegments],
    );
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
  'refuse',
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
