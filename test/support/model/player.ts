// Use of the whole API, compared step by step with the model.
// jest's own matchers would take most of the time of so many comparisons.
import { deepStrictEqual as expectSame, rejects } from 'node:assert';

import {
  AtomicLog,
  type Batch,
  type Chunk,
  type Entries,
  type Followed,
  type Snapshot,
  type Writer,
} from 'atomic-log';

import { thrownBy } from '../errors';
import { bounds } from '../logs';
import { collectGarbage, collectUntil, detach, nextTurn, tryTransfer } from '../memory';
import type { Kind } from './kinds';
import { Model, type Capacities, type SnapshotModel } from './log-model';

interface OpenSnapshot {
  readonly real: Snapshot<unknown>;
  readonly model: SnapshotModel;
}

interface OpenFollower {
  readonly real: Followed<Batch<unknown>>;
  readonly controller: AbortController;
  readonly batchEntriesMax: number;
  /** Index of the entry that it delivers next. */
  next: number;
  /** What it looks at: entries [first, end). */
  window: { readonly first: number; readonly end: number } | undefined;
  batch: Batch<unknown> | undefined;
}

export type Step = readonly [name: keyof Player, a: number, b: number];

/** Plays steps on a log and its model at once. Numbers choose among what there is. */
export class Player {
  readonly #kind: Kind;
  readonly #model: Model;
  readonly #log: AtomicLog<unknown>;
  readonly #attached: AtomicLog<unknown>;
  #writer: Writer<unknown> | null = null;
  readonly #open: OpenSnapshot[] = [];
  readonly #followers: OpenFollower[] = [];
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

  follow(a: number, b: number): void {
    const controller = new AbortController();
    const batchEntriesMax = b % 2 === 0 ? Infinity : 1 + a;
    const log = a % 2 === 0 ? this.#log : this.#attached;
    const real = log.follow({ from: 'oldest', batchEntriesMax, signal: controller.signal });
    const next = this.#model.first;
    this.#followers.push({ real, controller, batchEntriesMax, next, window: undefined, batch: undefined });
  }

  async nextBatch(a: number): Promise<void> {
    const follower = this.#followerAt(a);
    if (follower === undefined) return;
    if (follower.controller.signal.aborted) {
      await rejects(follower.real.next(), { name: 'AbortError' });
      this.#followers.splice(this.#followers.indexOf(follower), 1);
      return;
    }
    if (follower.window !== undefined && follower.window.end <= follower.next) follower.window = undefined;
    if (follower.window === undefined && this.#model.end <= follower.next) return;
    follower.window ??= { first: this.#model.first, end: this.#model.end };
    const first = Math.max(follower.next, follower.window.first);
    const length = Math.min(follower.batchEntriesMax, follower.window.end - first);
    const { value } = (await follower.real.next()) as { value: Batch<unknown> };
    expectSame([value.firstIndex, value.length, value.lost], [first, length, first - follower.next]);
    follower.next = first + length;
    follower.batch = value;
  }

  /** What was delivered stays valid: the comparison after every step sees it. */
  abort(a: number): void {
    this.#followerAt(a)?.controller.abort();
  }

  async endFollower(a: number): Promise<void> {
    const follower = this.#followerAt(a);
    if (follower === undefined) return;
    await follower.real.return!();
    this.#followers.splice(this.#followers.indexOf(follower), 1);
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

  #followerAt(a: number): OpenFollower | undefined {
    return this.#followers[a % Math.max(1, this.#followers.length)];
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
    for (const { batch } of this.#followers) {
      if (batch === undefined) continue;
      const { firstIndex, length } = batch;
      expectSame([...batch], this.#model.entries({ first: firstIndex, end: firstIndex + length }));
    }
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
    for (const { real } of this.#followers) await real.return!();
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
