/**
 * A block of native memory as JavaScript sees it: one ArrayBuffer, the
 * published word at its start, and a typed array per column.
 */
import { plainError, type AtomicLogError } from './errors';
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
    readonly buffer: ArrayBuffer,
    kinds: readonly Kind[],
    offsets: readonly number[],
    capacity: number,
    /** What the addon knows a reader's mapping by. */
    readonly key = 0,
  ) {
    this.word = new Int32Array(buffer, 0, 1);
    this.columns = kinds.map((kind, i) => new scalars[kind]!.Array(buffer, offsets[i]!, capacity));
  }

  /** False once somebody transferred the ArrayBuffer away. */
  get isAttached(): boolean {
    return this.word.length !== 0;
  }

  /** Takes the memory from every view: their length is 0 from now on. */
  detach(): void {
    addon.detach(this.buffer);
  }
}

export function mappingUnavailable(): AtomicLogError {
  return plainError(
    'ERR_MAPPING_UNAVAILABLE',
    'this runtime does not let native memory be mapped (V8 sandbox, as in Electron) or has no memory left for it; ' +
      'put the log into a process that allows it, for example a plain Node process',
  );
}
