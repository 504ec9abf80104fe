/** `Span`: room in the head that a user fills in place. */
import { columnIndex } from './columns';
import { plainError, typeError } from '../base/errors';
import type { Mapping } from './mapping';
import { viewOf, type ScalarArray } from '../base/scalar';
import type { Layout } from './layout';
import type { ArrayOf, FieldArrayOf } from './schema';

/**
 * Room for entries that are written in place, before they are published:
 * `writer.reserve(count)`, then fill, then `writer.commit(count)`.
 *
 * Its arrays are the log's memory and must not be written after the commit.
 */
export interface Span<T> {
  /** Absolute index of the first entry. */
  readonly firstIndex: number;
  /** Entries: as many as asked for, or as the segment has room for. */
  readonly length: number;
  /**
   * The entries of a log of numbers.
   *
   * @throws `ERR_SPAN_OVER`, `ERR_UNKNOWN_FIELD`
   */
  readonly values: ArrayOf<T>;
  /**
   * One field of the entries of a log of records.
   *
   * @throws `ERR_SPAN_OVER`, `ERR_UNKNOWN_FIELD`
   */
  column<K extends keyof T & string>(name: K): FieldArrayOf<T, K>;
}

export class OpenSpan<T> implements Span<T> {
  /** Keeps the writer, and with it the claim, for as long as the span is in use. */
  #owner: object | undefined;

  constructor(
    owner: object,
    readonly firstIndex: number,
    readonly length: number,
    private readonly position: number,
    private readonly layout: Layout,
    private readonly mapping: Mapping,
  ) {
    this.#owner = owner;
  }

  get values(): ArrayOf<T> {
    if (this.layout.fields !== undefined) {
      throw typeError(
        'ERR_UNKNOWN_FIELD',
        `a log of records has columns; use column(name) with one of ${this.layout.fields.join(', ')}`,
      );
    }
    return this.#array(0) as ArrayOf<T>;
  }

  column<K extends keyof T & string>(name: K): FieldArrayOf<T, K> {
    return this.#array(columnIndex(this.layout, name)) as FieldArrayOf<T, K>;
  }

  end(): void {
    this.#owner = undefined;
    if (this.layout.strictViews) this.mapping.detach();
  }

  #array(column: number): ScalarArray {
    if (this.#owner === undefined) throw plainError('ERR_SPAN_OVER', 'the span has ended; reserve a new one');
    if (!this.mapping.isAttached) {
      throw plainError(
        'ERR_SPAN_OVER',
        'the memory of the span was transferred away; commit(0) and reserve again',
      );
    }
    return viewOf(
      this.layout.kinds[column]!,
      this.mapping.columns[column] as ScalarArray,
      this.position,
      this.length,
    );
  }
}
