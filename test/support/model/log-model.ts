// What a log should be: a plain array, and the arithmetic of the documentation.
import type { SnapshotChange } from 'atomic-log';

/** Bytes of a segment for each field of variable size: a few entries. */
export const DATA_BYTES = 24;

export interface Capacities {
  readonly retainedCapacity: number;
  readonly segmentCapacity: number;
  /** Default: what the runtime takes. */
  readonly mapping?: 'shared';
}

/** What a snapshot should be: it holds entries [first, end), and its head was segment `head`. */
export interface SnapshotModel {
  first: number;
  end: number;
  head: number;
}

/** The log as arithmetic: every entry that was ever stored, at its index. */
export class Model {
  readonly history: unknown[] = [];
  /** Entries before it are published. */
  end = 0;
  /** Index of the first entry of each segment. */
  readonly #starts: number[] = [0];
  readonly #segmentCapacity: number;
  readonly #retainedSegments: number;
  readonly #sizes: (entry: unknown) => number[];

  constructor({ retainedCapacity, segmentCapacity }: Capacities, sizes: (entry: unknown) => number[]) {
    this.#segmentCapacity = segmentCapacity;
    this.#sizes = sizes;
    this.#retainedSegments = Math.ceil(retainedCapacity / segmentCapacity) + 1;
  }

  get next(): number {
    return this.history.length;
  }

  /** Sequence of the head segment. */
  get head(): number {
    return this.#starts.length - 1;
  }

  get rolls(): number {
    return this.head;
  }

  /** Segments that had room for more entries, but not for the bytes of the next. */
  get earlySeals(): number {
    const capacity = this.#segmentCapacity;
    return this.#starts.filter((start, i) => i > 0 && start - this.#starts[i - 1]! < capacity).length;
  }

  get retainedSegments(): number {
    return Math.min(this.head + 1, this.#retainedSegments);
  }

  /** First index of the window. */
  get first(): number {
    return this.#firstOf(Math.max(0, this.head - this.#retainedSegments + 1));
  }

  #firstOf(sequence: number): number {
    return this.#starts[sequence]!;
  }

  write(entry: unknown): void {
    this.makeRoom(this.#sizes(entry));
    this.history.push(entry);
  }

  /**
   * Begins a segment, if the head is full or has no room for an entry of these
   * sizes, and returns how many entries have room.
   */
  makeRoom(sizes: readonly number[] = []): number {
    const entries = this.history.slice(this.#firstOf(this.head)).map(this.#sizes);
    const isFull = sizes.some(
      (size, field) => entries.reduce((sum, entry) => sum + entry[field]!, size) > DATA_BYTES,
    );
    if (isFull || entries.length === this.#segmentCapacity) {
      this.publish();
      this.#starts.push(this.next);
    }
    return this.#firstOf(this.head) + this.#segmentCapacity - this.next;
  }

  publish(): void {
    this.end = this.next;
  }

  /** The writer is closed: what is not published is dropped. */
  drop(): void {
    this.history.length = this.end;
  }

  snapshot(): SnapshotModel {
    return { first: this.first, end: this.end, head: this.head };
  }

  refresh(snapshot: SnapshotModel): SnapshotChange {
    const { end } = snapshot;
    Object.assign(snapshot, this.snapshot());
    return {
      appended: snapshot.end - Math.max(end, snapshot.first),
      lost: Math.max(0, snapshot.first - end),
    };
  }

  extend(snapshot: SnapshotModel): SnapshotChange {
    // The segment after the one that was its head must still be there.
    if (this.head > snapshot.head && this.#firstOf(snapshot.head + 1) < this.first)
      return this.refresh(snapshot);
    const appended = this.end - snapshot.end;
    snapshot.end = this.end;
    snapshot.head = this.head;
    return { appended, lost: 0 };
  }

  entries({ first, end }: Pick<SnapshotModel, 'first' | 'end'>): unknown[] {
    return this.history.slice(first, end);
  }

  /** [sequence, firstIndex, length] of each chunk. */
  chunks({ first, end }: SnapshotModel): [number, number, number][] {
    return this.#starts.flatMap((start, sequence): [number, number, number][] => {
      const begin = Math.max(start, first);
      const length = Math.min(this.#starts[sequence + 1] ?? end, end) - begin;
      return length > 0 ? [[sequence, begin, length]] : [];
    });
  }
}
