/**
 * The columns of a block as JavaScript sees them: a typed array per column, or
 * offsets and data for one of variable size. The published word is not among
 * them: users get these arrays, and a stray store into the word would stop the
 * readers of this environment.
 */
import { types } from 'node:util';
import { addon } from '../base/native';
import { isVariable, scalars, type ScalarArray } from '../base/scalar';
import type { Layout } from './layout';
import { VarArea } from './var-area';

/** A field as it is mapped. */
export type Column = ScalarArray | VarArea;

/** What stands in for memory that is not there: reading its length is enough to notice. */
export const NO_COLUMNS: readonly Column[] = [];
export const NO_AREAS: readonly VarArea[] = [];

export class Mapping {
  /** One per field; typed arrays are as long as the segment's capacity. */
  readonly columns: readonly Column[];
  /** Those of variable size. */
  readonly areas: readonly VarArea[];
  /**
   * Whether the ArrayBuffer owns pins of snapshots that were dropped without
   * `close()`. Then nothing but its users may keep it alive.
   */
  ownsPins = false;
  /** The first byte of the columns; it has no length once they are detached. */
  readonly #first: Uint8Array;

  constructor(
    readonly buffer: ArrayBufferLike,
    /** Where the block begins, in bytes from the buffer's first; only the columns need to be in the buffer. */
    start: number,
    { kinds, dataBytes }: Pick<Layout, 'kinds' | 'dataBytes'>,
    offsets: readonly number[],
    capacity: number,
    /** What the addon knows a reader's mapping by. */
    readonly key = 0,
    /** Whether other processes can write to it at any time. */
    isOfProcesses = false,
  ) {
    this.#first = new Uint8Array(buffer, start + offsets[0]!, Math.min(1, buffer.byteLength));
    const areas: VarArea[] = [];
    // In a block the fields of variable size come last, with two columns each.
    let fixed = 0;
    let variable = kinds.filter((kind) => !isVariable(kind)).length;
    this.columns = kinds.map((kind) => {
      if (!isVariable(kind)) return new scalars[kind]!.Array(buffer, start + offsets[fixed++]!, capacity);
      const offsetsAt = start + offsets[variable++]!;
      const dataAt = start + offsets[variable++]!;
      const area = new VarArea(buffer, offsetsAt, dataAt, capacity, dataBytes, isOfProcesses);
      areas.push(area);
      return area;
    });
    this.areas = areas.length === 0 ? NO_AREAS : areas;
  }

  /** False once the ArrayBuffer was transferred away. */
  get isAttached(): boolean {
    return this.#first.length !== 0;
  }

  /** Takes the memory from every view: their length is 0 from now on. Shared memory cannot be taken away. */
  detach(): void {
    if (!types.isSharedArrayBuffer(this.buffer)) addon.detach(this.buffer);
  }
}

/** Of a segment that nothing was read of yet: it looks like one whose ArrayBuffer was transferred away. */
export const UNMAPPED = new Mapping(new ArrayBuffer(0), 0, { kinds: [], dataBytes: 0 }, [0], 0);
