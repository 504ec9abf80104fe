/**
 * Stores one entry in a writer's head that the shortcuts of writer.ts leave to a closer look: a
 * number that begins a segment or is refused, a record that no function took, the value of a codec.
 * A value is read and checked before anything changes.
 */
import { closed } from './writer-errors';
import { accepts, isVariable, Kind, refusal, store, viewOf, type ScalarArray } from '../base/scalar';
import { encodeInto } from './codec';
import { ENCODED, RECORD, type Head } from './head';
import { readRecord } from './record';
import type { Payload, VarArea } from './var-area';

export class EntryStore {
  readonly #head: Head;
  /** Values of the record that is being stored; undefined while in use. */
  #scratch: unknown[] | undefined;

  constructor(head: Head) {
    this.#head = head;
    this.#scratch = head.layout.kinds.map(() => undefined);
  }

  /** Returns the absolute index. */
  store(value: unknown): number {
    const head = this.#head;
    const { kind } = head;
    if (kind === RECORD) return this.#storeRecord(value);
    if (kind === ENCODED) return this.#storeEncoded(value);
    // A refused value must not begin a segment.
    if (!accepts(kind, value)) throw refusal(kind, 'value', value);
    const position = head.count < head.limit ? head.count : head.makeRoom();
    store(kind, head.values, position, value);
    head.count = position + 1;
    return head.firstIndex + position;
  }

  #storeRecord(record: unknown): number {
    const { fields, kinds } = this.#head.layout;
    // A getter may call this writer again; then it finds no scratch and makes
    // its own. Everything is read and checked before anything is stored.
    const values = this.#scratch ?? new Array<unknown>(kinds.length);
    this.#scratch = undefined;
    readRecord(fields!, kinds, record, values);
    const index = this.#head.variable.length > 0 ? this.#storeVariable(values) : this.#storeFixed(values);
    this.#scratch = values;
    return index;
  }

  /** Stores values that were accepted already. */
  #storeFixed(values: readonly unknown[]): number {
    const head = this.#head;
    const { kinds } = head.layout;
    let position = head.count;
    if (position >= head.limit) position = head.makeRoom();
    for (let i = 0; i < values.length; ++i) {
      store(kinds[i]!, head.columns[i] as ScalarArray, position, values[i]);
    }
    head.count = position + 1;
    return head.firstIndex + position;
  }

  #storeVariable(values: readonly unknown[]): number {
    const head = this.#head;
    const { kinds } = head.layout;
    const position = head.makeDataRoom(values as readonly Payload[]);
    for (let i = 0; i < values.length; ++i) {
      const kind = kinds[i]!;
      if (isVariable(kind)) (head.columns[i] as VarArea).store(position, values[i] as Payload);
      else store(kind, head.columns[i] as ScalarArray, position, values[i]);
    }
    head.count = position + 1;
    return head.firstIndex + position;
  }

  // --- Values of a codec.

  #storeEncoded(value: unknown): number {
    const head = this.#head;
    const coder = head.layout.coder!;
    if (coder.packInto !== undefined) {
      const index = this.#encodeInPlace(value);
      if (index >= 0) return index;
    }
    const payload = coder.pack(value, 'value');
    let position = head.count;
    if (position >= head.limit || !head.areas[0]!.hasRoom(payload)) position = head.makeDataRoom([payload]);
    head.areas[0]!.store(position, payload);
    head.count = position + 1;
    return head.firstIndex + position;
  }

  /** Lets the codec write into the head; -1 when the head has too little room. */
  #encodeInPlace(value: unknown): number {
    const head = this.#head;
    const position = head.count;
    // A value that is refused must not begin a segment.
    if (position >= head.limit) return -1;
    const { coder, strictViews } = head.layout;
    const area = head.areas[0]!;
    const { shown } = head;
    const { data } = shown.areas[0]!;
    const target = viewOf(Kind.u8, data, area.used, area.room) as Uint8Array;
    let length: number;
    head.beginEncoding();
    try {
      length = encodeInto(coder!, value, target);
    } finally {
      head.endEncoding();
      if (strictViews) shown.detach();
    }
    if (head.isClosed) throw closed(head);
    if (length === -1) return -1;
    area.take(position, length);
    head.count = position + 1;
    return head.firstIndex + position;
  }
}
