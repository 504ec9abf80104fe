/**
 * The pins and reader mappings that one environment has of one log.
 *
 * Mappings are kept and used again when their block is recycled: mapping anew
 * for each segment would queue a finalizer per mapping, and none of them runs
 * before a synchronous loop ends. Nothing is detached: the first detach in an
 * isolate makes every typed-array loop in the process slower.
 *
 * This object refers to no {@link Lease}: it is what stays reachable when a
 * lease is collected.
 */
import type { NativeLog } from '../types/native';
import { Mapping, mappingUnavailable } from './mapping';
import { decodeLayout, type Layout } from './schema';
import { PinnedSegment, type Window } from './window';

/** Numbers per segment in what pinWindow() writes. */
const FIELDS = 4;

export class Pins {
  readonly layout: Layout;
  readonly #native: NativeLog;
  /** Kept strongly, by segment id. */
  readonly #mappings: (Mapping | undefined)[] = [];
  /** ArrayBuffers that live on for their users' sake only, by segment id. */
  readonly #weakBuffers = new Map<number, WeakRef<ArrayBuffer>>();
  readonly #fields: Float64Array;

  constructor(native: NativeLog) {
    this.#native = native;
    this.layout = decodeLayout(native.descriptor);
    this.#fields = new Float64Array(FIELDS * native.retainedSegments);
  }

  /** Pins the window's segments from sequence `floor` on, ascending; at least the head. */
  pin(floor: number): PinnedSegment[] {
    const fields = this.#fields;
    const length = this.#native.pinWindow(floor, fields) * FIELDS;
    const segments: PinnedSegment[] = [];
    try {
      for (let i = 0; i < length; i += FIELDS) {
        const id = integer(fields[i]!);
        const sequence = integer(fields[i + 1]!);
        const firstIndex = integer(fields[i + 2]!);
        const count = integer(fields[i + 3]!);
        segments.push(new PinnedSegment(id, sequence, firstIndex, count, this.#mappingOf(id)));
      }
    } catch (error) {
      for (let i = 0; i < length; i += FIELDS) this.#native.unpin(fields[i]!);
      throw error;
    }
    return segments;
  }

  /** The mapping of a pinned segment, made anew when somebody transferred its ArrayBuffer away. */
  attached(segment: PinnedSegment): Mapping {
    if (!segment.mapping.isAttached) segment.mapping = this.#mappingOf(segment.id);
    return segment.mapping;
  }

  /** A window that held the segment has ended. */
  drop(segment: PinnedSegment): void {
    if (--segment.holders > 0) return;
    const { id } = segment;
    const newest = this.#mappings[id];
    if (segment.isAbandoned) {
      if (newest !== undefined) newest.ownsPins = true;
      this.#native.leavePinToMapping(id);
    } else {
      this.#native.unpin(id);
    }
    // An ArrayBuffer that owns pins gives them back when it is collected, so
    // nothing here may keep it.
    if (newest?.ownsPins) {
      this.#mappings[id] = undefined;
      this.#weakBuffers.set(id, new WeakRef(newest.buffer));
    }
  }

  /**
   * Every snapshot of `window` that was still open has been collected. Views of
   * its memory may live on, so its pins are left to the ArrayBuffers.
   */
  abandon(window: Window): void {
    const segments = window.clear();
    for (const segment of segments) {
      segment.isAbandoned = true;
      this.drop(segment);
    }
  }

  /** Leaves the log: gives back every pin and mapping. */
  close(): void {
    this.#mappings.length = 0;
    this.#weakBuffers.clear();
    this.#native.close();
  }

  #mappingOf(id: number): Mapping {
    const mapping = this.#mappings[id];
    if (mapping?.isAttached) return mapping;
    const kept = this.#weakBuffers.get(id)?.deref();
    const canUseKept = kept !== undefined && kept.byteLength !== 0;
    const buffer = canUseKept ? kept : this.#native.map(id);
    if (buffer === null) throw mappingUnavailable();
    const { columnOffsets, segmentCapacity } = this.#native;
    const made = new Mapping(buffer, this.layout.kinds, columnOffsets, segmentCapacity);
    if (canUseKept) made.ownsPins = true;
    else this.#weakBuffers.delete(id);
    this.#mappings[id] = made;
    return made;
  }
}

/**
 * Elements of a Float64Array are doubles to V8 even when they are whole. As small
 * integers they make refresh() and snapshot() faster by a third.
 */
function integer(field: number): number {
  return field < 2 ** 30 ? field | 0 : field;
}
