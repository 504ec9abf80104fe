/**
 * What a batch is collected in before anything is stored: a column for each field. A writer
 * uses the same one for batch after batch.
 */
import { copyBytes } from '../base/copy';
import { isVariable, scalars, store, type Kind, type ScalarArray } from '../base/scalar';
import { writeText } from '../base/text';
import type { Layout } from './layout';
import type { RecordStore } from './layout-functions';
import { readRecord } from './record';
import { payloadBytes, tooLarge, type Payload, type VarSource } from './var-area';

const CAPACITY_MIN = 64;
const DATA_BYTES_MIN = 1024;
/** What is larger is not kept for the next batch. */
const KEPT_ENTRIES_MAX = 2 ** 12;
const KEPT_BYTES_MAX = 2 ** 16;
/** Characters that are written at once. */
const PENDING_LENGTH_MAX = 2 ** 14;
/** UTF-8, of one of the units that the length of a string counts. */
const UNIT_BYTES_MAX = 3;

/** Collects values of variable size, each of which fits into a segment. */
export class VarBuilder implements VarSource {
  readonly offsets: number[] = [0];
  data = Buffer.allocUnsafeSlow(DATA_BYTES_MIN);
  length = 0;
  readonly #dataBytes: number;
  /** Names a value in errors. */
  #what: (i: number) => string = String;
  /**
   * Texts that are not written yet. One call writes all of them, and their offsets are right already if every
   * character is of one byte: writing a text by itself takes five times as long.
   */
  #pending = '';
  /** How many values there are before them. */
  #written = 0;

  constructor(dataBytes: number) {
    this.#dataBytes = dataBytes;
  }

  /** Forgets all values. `what` names one in errors. */
  begin(what: (i: number) => string): void {
    this.length = 0;
    this.#pending = '';
    this.#written = 0;
    this.#what = what;
  }

  /** Copies the value: who gave it may use its memory for the next one. */
  push(payload: Payload): void {
    const used = this.offsets[this.length]!;
    // Text of so many characters has at least so many bytes.
    if (
      typeof payload === 'string' &&
      payload.length <= PENDING_LENGTH_MAX &&
      payload.length <= this.#dataBytes
    ) {
      this.#pending += payload;
      this.offsets[++this.length] = used + payload.length;
      if (this.#pending.length > PENDING_LENGTH_MAX) this.finish();
      return;
    }
    this.finish();
    this.#write(payload);
    this.#written = this.length;
  }

  /** As push() for each, in a loop that keeps its state to itself. `refused` is the error for what is not a text. */
  pushTexts(texts: Iterable<unknown>, refused: (value: unknown, i: number) => Error): void {
    const { offsets } = this;
    const lengthMax = Math.min(PENDING_LENGTH_MAX, this.#dataBytes);
    let pending = '';
    let { length } = this;
    let used = offsets[length]!;
    for (const text of texts) {
      if (typeof text !== 'string') throw refused(text, length);
      const isLong = text.length > lengthMax;
      if (!isLong) {
        pending += text;
        used += text.length;
        offsets[++length] = used;
      }
      if (!isLong && pending.length <= PENDING_LENGTH_MAX) continue;
      this.#pending = pending;
      this.length = length;
      this.finish();
      if (isLong) this.push(text);
      pending = '';
      ({ length } = this);
      used = offsets[length]!;
    }
    this.#pending = pending;
    this.length = length;
    this.finish();
  }

  /** Writes what is pending: then `data` has all values. */
  finish(): void {
    const text = this.#pending;
    const { length } = this;
    const first = this.#written;
    if (length === first) return;
    this.#pending = '';
    this.#written = length;
    const used = this.offsets[first]!;
    // With room for whatever the characters are, it takes as many bytes as characters only if each is of one byte.
    this.#makeRoom(used + UNIT_BYTES_MAX * text.length);
    if (writeText(this.data, used, text) === text.length) return;
    // Cut at what were their offsets, so that halves of a character of two texts stay halves.
    const begin = this.offsets[first]!;
    const ends = this.offsets.slice(first + 1, length + 1);
    this.length = first;
    let start = 0;
    for (const end of ends) {
      this.#write(text.slice(start, end - begin));
      start = end - begin;
    }
    this.#written = length;
  }

  get isSmall(): boolean {
    return this.data.length <= KEPT_BYTES_MAX && this.offsets.length <= KEPT_ENTRIES_MAX;
  }

  #write(payload: Payload): void {
    const bytes = payloadBytes(payload);
    if (bytes > this.#dataBytes) throw tooLarge(this.#what(this.length), bytes, this.#dataBytes);
    const used = this.offsets[this.length]!;
    this.#makeRoom(used + bytes);
    if (typeof payload === 'string') writeText(this.data, used, payload);
    else copyBytes(this.data, used, payload, bytes);
    this.offsets[++this.length] = used + bytes;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.data.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.data.length));
    larger.set(this.data);
    this.data = larger;
  }
}

function newColumn(kind: Kind, capacity: number): ScalarArray {
  const ScalarArray = scalars[kind]!.Array;
  return new ScalarArray(new ArrayBuffer(capacity * ScalarArray.BYTES_PER_ELEMENT), 0, capacity);
}

export class BatchBuilder {
  readonly #layout: Layout;
  /** One for each field. */
  sources: (ScalarArray | VarBuilder)[];
  /** Entries that those of fixed size have room for. */
  capacity = CAPACITY_MIN;

  constructor(layout: Layout) {
    this.#layout = layout;
    const { kinds, dataBytes } = layout;
    this.sources = kinds.map((kind) =>
      isVariable(kind) ? new VarBuilder(dataBytes) : newColumn(kind, CAPACITY_MIN),
    );
  }

  /** The builder of a field of variable size, empty. `what` names a value in errors. */
  variable(field: number, what: (i: number) => string): VarBuilder {
    const builder = this.sources[field] as VarBuilder;
    builder.begin(what);
    return builder;
  }

  /** Makes room for more entries. */
  grow(): this {
    this.capacity *= 2;
    this.sources = this.sources.map((source, i) => {
      if (source instanceof VarBuilder) return source;
      const larger = newColumn(this.#layout.kinds[i]!, this.capacity);
      (larger as Float64Array).set(source as Float64Array);
      return larger;
    });
    return this;
  }

  /** The records as columns; returns how many. Runs user code: iterators, getters and proxies. */
  collectRecords(
    entries: Iterable<unknown>,
    records: Pick<RecordStore<never>, 'collect'> | undefined,
  ): number {
    const { kinds } = this.#layout;
    const fields = this.#layout.fields!;
    fields.forEach((name, i) => {
      if (isVariable(kinds[i]!)) this.variable(i, () => `the field ${name}`);
    });
    const length = records?.collect(entries, this) ?? this.#collectRecords(fields, kinds, entries);
    this.#finish();
    return length;
  }

  #collectRecords(fields: readonly string[], kinds: readonly Kind[], entries: Iterable<unknown>): number {
    const values = new Array<unknown>(kinds.length);
    let length = 0;
    for (const record of entries) {
      // Its getters run user code, but that knows nothing of `values`.
      readRecord(fields, kinds, record, values);
      if (length === this.capacity) this.grow();
      for (let i = 0; i < kinds.length; ++i) {
        const source = this.sources[i]!;
        if (source instanceof VarBuilder) source.push(values[i] as Payload);
        else store(kinds[i]!, source, length, values[i]);
      }
      ++length;
    }
    return length;
  }

  /** The values of a log with a codec; returns how many. */
  collectValues(entries: Iterable<unknown>): number {
    const coder = this.#layout.coder!;
    const builder = this.variable(0, (i) => `entries[${i}]`);
    for (const value of entries) builder.push(coder.pack(value, `entries[${builder.length}]`));
    this.#finish();
    return builder.length;
  }

  /** Whether to keep it for the next batch. */
  get isSmall(): boolean {
    return (
      this.capacity <= KEPT_ENTRIES_MAX &&
      this.sources.every((source) => !(source instanceof VarBuilder) || source.isSmall)
    );
  }

  #finish(): void {
    for (const source of this.sources) if (source instanceof VarBuilder) source.finish();
  }
}
