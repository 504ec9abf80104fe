/**
 * The segment that a writer stores into: how many entries are stored, taken by a journal and
 * published, which room is left, and how the next segment begins. What stores values
 * (writer.ts, entry-store.ts, batch-store.ts) asks here for a position, writes into `columns`
 * there, and moves `count`.
 *
 * 1. `count <= limit`, or `limit` is 0 and nothing can be stored.
 * 2. What a journal has is never taken back: entries below its mark stay.
 */
import { NO_SLOT, SEGMENT_FIELDS, SegmentField, Status } from '../base/codes';
import { accepts, isVariable, Kind, type ScalarArray } from '../base/scalar';
import type { Columns } from './batch';
import type { EntryJournal } from './entry-journal';
import { HeadMappings } from './head-mappings';
import type { Layout } from './layout';
import { functionsOf, type RecordStore } from './layout-functions';
import { NO_AREAS, NO_COLUMNS, type Column, type Mapping } from './mapping';
import { publishEntries, type NativeWriter } from './native-log';
import { readRecord, refusedField } from './record';
import { payloadBytes, payloadFits, tooLarge, type Payload, type VarArea } from './var-area';
import type { LogView } from './view';
import { busy, closed, rollFailed, spanOpen, taking } from './writer-errors';

/** In place of a kind: the log holds records, or the values of a codec. */
export const RECORD = -1;
export const ENCODED = -2;

const NO_VALUES: ScalarArray = new Float64Array(0);
const NO_DOUBLES: Float64Array = new Float64Array(0);

export class Head {
  readonly layout: Layout;
  /** The kind of a log of numbers, or RECORD, or ENCODED. */
  readonly kind: Kind | typeof RECORD | typeof ENCODED;
  /** The fields of variable size. */
  readonly variable: readonly number[];
  /** Of a log of records, where code may be made for them. */
  readonly records: RecordStore<Head> | undefined;
  readonly #view: LogView;
  readonly #native: NativeWriter;
  readonly #mappings: HeadMappings;

  // Small integers to V8 from the beginning, so that no store has to look whether they are.
  /** The number of the native writer. */
  slot = 0;
  #id = 0;
  firstIndex = 0;
  /** Entries stored in the head, published or not. */
  count = 0;
  /**
   * Entries that the head has room for; 0 when closed, not mapped, or while a
   * span is open, a codec is writing or the journal takes entries, so that one check on the way of every
   * store notices all of them.
   */
  limit = 0;
  columns: readonly Column[] = NO_COLUMNS;
  /** The columns of variable size. */
  areas: readonly VarArea[] = NO_AREAS;
  /** The first column of a log of numbers. */
  values: ScalarArray = NO_VALUES;
  /**
   * The same in a log of f64, as long as `limit`: it has a place for the entry at `count`
   * exactly when `limit` has. By itself, so that storing an f64 meets one kind of array and
   * no look at the kind, whatever other logs the process has.
   */
  doubles = NO_DOUBLES;

  isClosed = false;
  /** Whether its writer has ended the log. */
  hasEnded = false;
  /** Whether a span shows room of the head to a user. */
  hasSpan = false;
  /** Whether a codec is writing into the head. */
  #isEncoding = false;
  /** The limit when the codec is done. */
  #limitAfter = 0;
  /** Whether the journal is taking entries, and hooks of the user may be running. */
  #isTaking = false;
  /** Takes what is stored before it is published. */
  #journal: EntryJournal | undefined;
  /** Entries of the head that the journal has, or that were published without one. */
  #journaled = 0;

  /** Nothing can be stored before {@link map}. */
  constructor(view: LogView, native: NativeWriter) {
    const { layout } = view;
    const { kinds, fields, coder } = layout;
    this.#view = view;
    this.#native = native;
    this.slot = native.slot;
    this.layout = layout;
    this.kind = coder !== undefined ? ENCODED : fields === undefined ? kinds[0]! : RECORD;
    this.variable = kinds.flatMap((kind, i) => (isVariable(kind) ? [i] : []));
    this.records = fields === undefined ? undefined : recordStore(layout, fields, this.variable.length > 0);
    this.#mappings = new HeadMappings(native, view.storage, view.native.retainedSegments);

    const head = new Float64Array(SEGMENT_FIELDS);
    native.head(head);
    // Elements of a Float64Array are doubles to V8 even when they are whole; as
    // small integers these fields make every store faster by a third.
    this.#id = head[SegmentField.id]! | 0;
    const firstIndex = head[SegmentField.firstIndex]!;
    this.firstIndex = firstIndex < 2 ** 30 ? firstIndex | 0 : firstIndex;
    this.count = head[SegmentField.count]! | 0;
  }

  /** Absolute index that the next entry gets. */
  get nextIndex(): number {
    return this.firstIndex + this.count;
  }

  get isJournaled(): boolean {
    return this.#journal !== undefined;
  }

  get isTaking(): boolean {
    return this.#isTaking;
  }

  /** The mapping that users may see, of a span or for a codec. */
  get shown(): Mapping {
    return this.#mappings.shown(this.#id);
  }

  /** Throws when nothing may be stored now, whatever room there is. */
  checkFree(): void {
    if (this.isClosed) throw closed(this);
    if (this.#isEncoding) throw busy();
    if (this.#isTaking) throw taking();
    if (this.hasSpan) throw spanOpen();
  }

  // --- Room.

  /** The slow path of every store: returns a position that is really there. */
  makeRoom(): number {
    this.checkFree();
    if (this.limit === 0) {
      // The head could not be mapped when it was begun; try again.
      this.map();
      if (this.count < this.limit) return this.count;
    }
    return this.roll();
  }

  /**
   * A position in a head that has room for the values of variable size; a value
   * that no segment has room for is refused before anything changes.
   */
  makeDataRoom(values: readonly Payload[]): number {
    const { dataBytes, fields } = this.layout;
    for (const field of this.variable) {
      const value = values[field]!;
      if (payloadFits(value, dataBytes)) continue;
      const what = fields === undefined ? 'the value' : `the field ${fields[field]!}`;
      throw tooLarge(what, payloadBytes(value), dataBytes);
    }
    let position = this.count;
    if (position >= this.limit) position = this.makeRoom();
    for (let i = 0; i < this.areas.length; ++i) {
      if (!payloadFits(values[this.variable[i]!]!, this.areas[i]!.room)) return this.roll();
    }
    return position;
  }

  /** Begins the next segment, however many entries the head has room for. */
  roll(): number {
    // Rolling publishes what is staged.
    if (this.#journal !== undefined) this.publish();
    const id = this.#nextSegment();
    if (id < 0) throw rollFailed(id, this.nextIndex, this.#view.storage.kind === 'shared');
    if (this.layout.strictViews) this.#view.storage.wipe(id);
    this.#id = id;
    this.firstIndex += this.count;
    this.count = this.#journaled = 0;
    this.map();
    return 0;
  }

  #nextSegment(): number {
    let id = this.#native.roll(this.count);
    if (id === -Status.uncommitted && this.#view.storage.grow(this.#native))
      id = this.#native.roll(this.count);
    // What this very thread keeps until the end of its turn is in no one's way.
    return id === -Status.pinned && this.#view.dropIdleWindow() ? this.#native.roll(this.count) : id;
  }

  map(): void {
    this.stop();
    const mapping = this.#mappings.own(this.#id);
    this.columns = mapping.columns;
    this.areas = mapping.areas;
    this.records?.map(mapping.columns);
    if (this.kind >= 0) this.values = mapping.columns[0] as ScalarArray;
    for (let i = 0; i < this.areas.length; ++i) this.areas[i]!.begin(this.count);
    this.limit = this.#view.segmentCapacity;
    if (this.kind === Kind.f64 && this.#journal === undefined) this.doubles = this.values as Float64Array;
  }

  /** Nothing can be stored until the head is mapped again. */
  stop(): void {
    this.limit = 0;
    this.doubles = NO_DOUBLES;
  }

  /** Until {@link endEncoding} a codec writes into the head, and nothing else is stored. */
  beginEncoding(): void {
    this.#limitAfter = this.limit;
    this.#isEncoding = true;
    this.limit = 0;
  }

  endEncoding(): void {
    this.#isEncoding = false;
    if (!this.isClosed) this.limit = this.#limitAfter;
  }

  close(): void {
    this.isClosed = true;
    this.stop();
    // A small integer, which the cell of publishEntries() holds as NO_SLOT.
    this.slot = NO_SLOT | 0;
    this.columns = NO_COLUMNS;
    this.areas = NO_AREAS;
    this.values = NO_VALUES;
    this.#mappings.clear();
  }

  // --- Publishing, and the journal.

  publish(): void {
    if (this.isClosed) throw closed(this);
    if (this.#journal === undefined) publishEntries(this.slot, this.count);
    else this.#publishJournaled(this.#journal);
  }

  /** What was stored from `index` on is published, or is not there any more when the journal refuses it. */
  publishOrTakeBack(index: number): void {
    try {
      this.publish();
    } catch (error) {
      if (!this.isClosed) this.takeBack(index);
      throw error;
    }
  }

  /** From now on `journal` takes every entry before it is published. */
  giveTo(journal: EntryJournal): void {
    this.publish();
    this.#journal = journal;
    this.#journaled = this.count;
    // All ways lead past the journal then.
    this.doubles = NO_DOUBLES;
  }

  /** What the journal would never take must not be in the way of what comes after it. */
  checkJournaled(index: number): void {
    try {
      this.#journal?.check(this.columns, index - this.firstIndex);
    } catch (error) {
      this.takeBack(index);
      throw error;
    }
  }

  /** Throws before a part of a batch is written, and a segment begins for it. */
  checkBatchJournaled(batch: Columns): void {
    this.#journal?.checkBatch(batch);
  }

  /** Forgets what was stored from `index` on, but for what the journal has. */
  takeBack(index: number): void {
    this.count = Math.max(index - this.firstIndex, this.#journaled);
    for (let i = 0; i < this.areas.length; ++i) this.areas[i]!.begin(this.count);
  }

  /** Its hooks store nothing meanwhile: it would lie between what is taken and a segment that begins. */
  #publishJournaled(journal: EntryJournal): void {
    if (this.#isTaking) throw taking();
    const { limit } = this;
    this.#isTaking = true;
    this.limit = 0;
    try {
      while (this.#journaled < this.count) {
        const from = this.#journaled;
        this.#journaled = journal.take(this.columns, from, this.count, this.firstIndex + from);
        // Whatever hooks have done: they cannot close the log.
        publishEntries(this.slot, this.#journaled);
      }
    } finally {
      this.#isTaking = false;
      this.limit = limit;
    }
  }
}

// Functions of the module and not of a head, so that what is made for a layout can have them in line.

function nextOf(head: Head): number {
  return head.count < head.limit ? head.count : -1;
}

function place(head: Head): number {
  return head.count < head.limit ? head.count : head.makeRoom();
}

function placeData(head: Head, payloads: readonly Payload[]): number {
  return head.makeDataRoom(payloads);
}

function recordStore(
  layout: Layout,
  fields: readonly string[],
  hasVariable: boolean,
): RecordStore<Head> | undefined {
  const { kinds } = layout;
  return functionsOf(layout)?.makeStore<Head>(
    { nextOf, place: hasVariable ? placeData : place },
    (record, values) => {
      const field = kinds.findIndex((kind, i) => !accepts(kind, values[i]));
      return refusedField(kinds[field]!, fields[field]!, values[field], record);
    },
    (record) => {
      const values = new Array<unknown>(kinds.length);
      readRecord(fields, kinds, record, values);
      return values;
    },
  );
}
