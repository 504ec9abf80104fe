/**
 * A block as JavaScript sees it: the published word at its start, and a typed
 * array per column.
 */
import { types } from 'node:util';
import { addon } from './native';
import { scalars, type Kind, type ScalarArray } from './scalar';

/** What stands in for memory that is not there: reading its length is enough to notice. */
export const NO_WORD = new Int32Array(0);
export const NO_COLUMNS: readonly ScalarArray[] = [];

/** Set in the published word once the segment is sealed: the word is negative then. */
export const COUNT_MASK = 0x7fffffff;

export class Mapping {
  /** The published word. Int32Array, because an unsigned view is slower to load from. */
  readonly word: Int32Array;
  /** Each as long as the segment's capacity. */
  readonly columns: readonly ScalarArray[];
  /**
   * Whether the ArrayBuffer owns pins of snapshots that were dropped without
   * `close()`. Then nothing but its users may keep it alive.
   */
  ownsPins = false;

  constructor(
    readonly buffer: ArrayBufferLike,
    /** Where the block begins in the buffer, in bytes. */
    start: number,
    kinds: readonly Kind[],
    offsets: readonly number[],
    capacity: number,
    /** What the addon knows a reader's mapping by. */
    readonly key = 0,
  ) {
    this.word = new Int32Array(buffer, start, 1);
    this.columns = kinds.map((kind, i) => new scalars[kind]!.Array(buffer, start + offsets[i]!, capacity));
  }

  /** False once somebody transferred the ArrayBuffer away. */
  get isAttached(): boolean {
    return this.word.length !== 0;
  }

  /** Takes the memory from every view: their length is 0 from now on. Shared memory cannot be taken away. */
  detach(): void {
    if (!types.isSharedArrayBuffer(this.buffer)) addon.detach(this.buffer);
  }
}
