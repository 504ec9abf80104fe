/** The entries of a snapshot one by one: numbers, new objects, or what the codec makes of them. */
import { readEntry } from './columns';
import type { Layout } from './layout';
import { functionsOf, spreadOf, type Spread } from './layout-functions';
import {
  COLUMNS,
  currentSegments,
  END,
  POSITION,
  SEGMENTS,
  SOURCE,
  Steps,
  type RunSource,
  type Seek,
} from './run';

export class EntrySteps<T> extends Steps<T> {
  readonly #layout: Layout;
  readonly #spread: Spread;

  constructor(layout: Layout, source: RunSource, from: number, seek: Seek) {
    super(source, from, seek);
    this.#layout = layout;
    this.#spread = spreadOf(layout);
  }

  static over<T>(layout: Layout, source: RunSource, from: number, seek: Seek): EntrySteps<T> {
    const StepsOfLayout = functionsOf(layout)?.entriesClass(EntrySteps<T>) ?? EntrySteps<T>;
    return new StepsOfLayout(layout, source, from, seek);
  }

  next(): IteratorResult<T, undefined> {
    let position = this[POSITION] + 1;
    const isInside = position < this[END] && this[SOURCE][currentSegments] === this[SEGMENTS];
    // The memory of an entry may have been transferred away.
    if (!isInside || !this.place!.mapping.isAttached) position = this.nextRun(position);
    this[POSITION] = position;
    if (position < 0) return { done: true, value: undefined };
    return { done: false, value: readEntry(this.#layout, this.place!.mapping, position) as T };
  }

  protected override nextRun(position: number): number {
    const next = super.nextRun(position);
    if (next >= 0) this.#spread(this, this[COLUMNS]);
    return next;
  }

  /** A loop that is left ends it. */
  return(): IteratorResult<T, undefined> {
    this.end();
    return { done: true, value: undefined };
  }
}
