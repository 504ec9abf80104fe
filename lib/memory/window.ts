/**
 * What snapshots are made of: pinned segments, grouped into windows that the
 * snapshots of one environment share.
 */
import { UNMAPPED, type Mapping } from './mapping';

/** What stands in for a word that is not there: reading its length is enough to notice. */
export const NO_WORD = new Int32Array(0);

/** One pin of one segment, shared by the windows of its environment. */
export class PinnedSegment {
  /** Windows that hold this pin. */
  holders = 0;
  /** Whether one of them was collected without having been closed. */
  isAbandoned = false;

  constructor(
    readonly id: number,
    readonly sequence: number,
    readonly firstIndex: number,
    /** Readable entries. */
    public count: number,
    /** Whether the count was told by the successor: no look at the word may change it then. */
    public isFinal: boolean,
  ) {}

  /** Made when something of the segment is first read: {@link Pins.attached}. */
  mapping: Mapping = UNMAPPED;

  /** Whether this environment has the pin: then no one writes to the entries, however fast the writer is. */
  get isPinned(): boolean {
    return this.holders > 0;
  }
}

/** Stands where a segment was that a window has dropped, so that nothing of it is kept. */
const DROPPED = new PinnedSegment(0, 0, 0, 0, true);

/** A window that has other segments than before has another version; none of them is 0. */
export const NO_VERSION = 0;
let newestVersion = NO_VERSION;

/** Consecutive segments, ascending. */
export class Window {
  /** From {@link begin} on. */
  segments: PinnedSegment[] = [];
  /** What is before has been dropped. */
  begin = 0;
  /** Which segments these are; it is not used again. */
  version = NO_VERSION;
  /** Segments per entry, on average. */
  rate = 0;
  /** Snapshots of this window that were not closed. */
  openCount = 0;
  /** The published word of the last segment. */
  headWord: Int32Array = NO_WORD;

  get isEmpty(): boolean {
    return this.segments.length === 0;
  }

  get head(): PinnedSegment {
    return this.segments[this.segments.length - 1]!;
  }

  get first(): PinnedSegment {
    return this.segments[this.begin]!;
  }

  get firstIndex(): number {
    return this.first.firstIndex;
  }

  /** `headWord` is that of the last segment. */
  set(segments: PinnedSegment[], headWord: Int32Array): void {
    for (const segment of segments) ++segment.holders;
    this.segments = segments;
    this.begin = 0;
    this.#changed();
    this.headWord = headWord;
  }

  /**
   * Adds what follows, in a time that does not depend on how much there is already; `headWord`
   * is that of the last segment.
   */
  append(newer: readonly PinnedSegment[], headWord: Int32Array): void {
    for (const segment of newer) {
      ++segment.holders;
      this.segments.push(segment);
    }
    this.#changed();
    this.headWord = headWord;
  }

  /** Takes the oldest segment out; the caller drops it. The time is the same, on average. */
  shift(): PinnedSegment {
    const { first } = this;
    this.segments[this.begin++] = DROPPED;
    // Moves as many as were taken out since it did so last.
    if (this.begin > this.segments.length / 2) {
      this.segments = this.segments.slice(this.begin);
      this.begin = 0;
    }
    this.#changed();
    return first;
  }

  #changed(): void {
    this.version = ++newestVersion;
    const before = this.segments.length - 1 - this.begin;
    this.rate = before > 0 ? before / (this.head.firstIndex - this.first.firstIndex) : 0;
  }

  /** All of them, for a window of its own. */
  copy(): PinnedSegment[] {
    return this.segments.slice(this.begin);
  }

  /** Takes the segments out; the caller drops them. */
  clear(): readonly PinnedSegment[] {
    const segments = this.begin === 0 ? this.segments : this.copy();
    this.segments = [];
    this.begin = 0;
    this.version = ++newestVersion;
    this.headWord = NO_WORD;
    this.openCount = 0;
    return segments;
  }
}

/**
 * What every open snapshot of a window refers to. It is collected when the last
 * of them has been closed or dropped: that is how snapshots that were dropped
 * without `close()` are noticed, at no cost per snapshot.
 */
export class Lease {
  /** Made when the view drops a lease that open snapshots still hold. */
  weak: WeakRef<Lease> | undefined;
  constructor(readonly window: Window) {}
}

/**
 * The segment that holds `index`, which is inside. Most segments have as many entries as any other, and so it is
 * mostly where that says; where they differ in length it is searched for on the side that is left.
 */
export function findSegment({ segments, begin, rate }: Window, index: number): PinnedSegment {
  let low = begin;
  let high = segments.length - 1;
  const likely = Math.min(high, low + (((index - segments[low]!.firstIndex) * rate) | 0));
  const segment = segments[likely]!;
  const position = index - segment.firstIndex;
  if (position < 0) high = likely - 1;
  else if (likely === high || position < segment.count) return segment;
  else low = likely + 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (segments[middle]!.firstIndex <= index) low = middle;
    else high = middle - 1;
  }
  return segments[low]!;
}
