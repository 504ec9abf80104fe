/**
 * Stores many entries in a writer's head, and in the segments that follow when it is full, and
 * publishes them. What a user gives is read and checked to its end (batch.ts, batch-builder.ts)
 * before the first entry is stored.
 */
import { copyValues } from '../base/copy';
import { invalidType } from '../base/errors';
import { accepts, isVariable, refusal, store, viewOf, type Kind, type ScalarArray } from '../base/scalar';
import { typedArrayLength, typedArrayTag } from '../base/typed-array';
import { readColumns, type Columns, type Source } from './batch';
import { BatchBuilder } from './batch-builder';
import { RECORD, type Head } from './head';
import { publishEntries } from './native-log';
import { countFitting, type VarArea, type VarSource } from './var-area';

/** Of a batch of records up to so many are copied one by one. */
const LOOP_ENTRIES_MAX = 64;

/** Stores and publishes a typed array of the log's own type that the head has room for; returns the first index. */
export function storeInHead(head: Head, source: ScalarArray, length: number): number {
  const position = head.count;
  const index = head.firstIndex + position;
  copyValues(head.kind as Kind, head.values, position, source, length);
  head.count = position + length;
  if (!head.isJournaled) publishEntries(head.slot, position + length);
  else head.publishOrTakeBack(index);
  return index;
}

export class BatchStore {
  readonly #head: Head;
  /** For the next batch; undefined while in use. */
  #builder: BatchBuilder | undefined;

  constructor(head: Head) {
    this.#head = head;
  }

  // Each returns the absolute index of the first entry.

  /** A typed array of the log's own type, empty or with more entries than the head has room for. */
  storeArray(source: ScalarArray, length: number): number {
    const head = this.#head;
    // An empty one begins no segment.
    if (length > 0 && head.count >= head.limit) head.makeRoom();
    return length > 0 && length <= head.limit - head.count
      ? storeInHead(head, source, length)
      : this.storeColumns({ sources: [source], length });
  }

  /** One that is not a typed array of the log's type. */
  storeOther(entries: unknown): number {
    if (entries === null || typeof entries !== 'object') {
      throw invalidType('entries', 'an iterable or an object of columns', entries);
    }
    // The iterator of a detached typed array of another kind would throw.
    if (typedArrayTag(entries) !== undefined && typedArrayLength(entries as ScalarArray) === 0) {
      return this.storeColumns({ sources: [], length: 0 });
    }
    const isIterable = typeof (entries as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function';
    if (isIterable && this.#head.kind >= 0) return this.#storeNumbers([...(entries as Iterable<unknown>)]);
    // What runs meanwhile may append a batch to this writer, too: it gets a builder of its own.
    const builder = this.#builder ?? new BatchBuilder(this.#head.layout);
    this.#builder = undefined;
    const index = isIterable
      ? this.#storeCollected(builder, entries as Iterable<unknown>)
      : this.storeColumns(readColumns(this.#head.layout, entries, builder));
    if (builder.isSmall) this.#builder = builder;
    return index;
  }

  /** They are ours: reading the iterable is over. */
  #storeNumbers(entries: readonly unknown[]): number {
    const head = this.#head;
    const kind = head.kind as Kind;
    entries.forEach((value, i) => {
      if (!accepts(kind, value)) throw refusal(kind, `entries[${i}]`, value);
    });
    return this.#storeBatch(entries.length, () => {
      for (const value of entries) {
        if (head.count >= head.limit) head.makeRoom();
        store(kind, head.values, head.count++, value);
      }
    });
  }

  #storeCollected(builder: BatchBuilder, entries: Iterable<unknown>): number {
    const { kind, records } = this.#head;
    const length =
      kind === RECORD ? builder.collectRecords(entries, records) : builder.collectValues(entries);
    return this.storeColumns({ sources: builder.sources, length });
  }

  /** The sources are ours: nothing of the user's runs any more. */
  storeColumns(columns: Columns): number {
    const { sources, length } = columns;
    const head = this.#head;
    if (head.isJournaled) head.checkBatchJournaled(columns);
    return this.#storeBatch(length, () => {
      for (let done = 0; done < length;) {
        if (head.count >= head.limit) head.makeRoom();
        let size = Math.min(length - done, head.limit - head.count);
        for (const field of head.variable) {
          const { room } = head.columns[field] as VarArea;
          size = countFitting(sources[field] as VarSource, done, size, room);
        }
        if (size === 0) {
          head.roll();
          continue;
        }
        this.#copyFixed(sources, done, size);
        for (const field of head.variable) {
          const area = head.columns[field] as VarArea;
          area.storeMany(head.count, sources[field] as VarSource, done, size);
        }
        head.count += size;
        done += size;
      }
    });
  }

  /** Copies values [from, from + count) of the sources of fixed size into the head. */
  #copyFixed(sources: readonly Source[], from: number, count: number): void {
    const head = this.#head;
    const { kinds } = head.layout;
    const isWhole = !isVariable(kinds[0]!) && typedArrayLength(sources[0] as ScalarArray) === count;
    // Views of parts cost as much as copying dozens of entries.
    if (!isWhole && head.records !== undefined && count <= LOOP_ENTRIES_MAX) {
      head.records.copy(sources, from, head.count, count);
      return;
    }
    for (let i = 0; i < sources.length; ++i) {
      const kind = kinds[i]!;
      if (isVariable(kind)) continue;
      const source = sources[i] as ScalarArray;
      const part = count === typedArrayLength(source) ? source : viewOf(kind, source, from, count);
      copyValues(kind, head.columns[i] as ScalarArray, head.count, part, count);
    }
  }

  /**
   * Has `length` checked entries stored and publishes them; those that were
   * stored, when memory runs out. An empty batch never rolls.
   */
  #storeBatch(length: number, storeAll: () => void): number {
    const head = this.#head;
    head.checkFree();
    if (length > 0 && head.count >= head.limit) head.makeRoom();
    const index = head.nextIndex;
    try {
      storeAll();
    } catch (error) {
      if (head.isJournaled) head.takeBack(index);
      else if (head.nextIndex > index) head.publish();
      throw error;
    }
    head.publishOrTakeBack(index);
    return index;
  }
}
