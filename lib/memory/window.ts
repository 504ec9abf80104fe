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

/** Consecutive segments, ascending. */
export class Window {
  segments: readonly PinnedSegment[] = [];
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

  get firstIndex(): number {
    return this.segments[0]!.firstIndex;
  }

  /** `headWord` is that of the last segment. */
  set(segments: readonly PinnedSegment[], headWord: Int32Array): void {
    for (const segment of segments) ++segment.holders;
    this.segments = segments;
    this.headWord = headWord;
  }

  /** Takes the segments out; the caller drops them. */
  clear(): readonly PinnedSegment[] {
    const { segments } = this;
    this.segments = [];
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

/** The segment that holds `index`, which is inside. Segments may differ in length. */
export function findSegment(segments: readonly PinnedSegment[], index: number): PinnedSegment {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (segments[middle]!.firstIndex <= index) low = middle;
    else high = middle - 1;
  }
  return segments[low]!;
}
