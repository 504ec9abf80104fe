/**
 * The pins and reader mappings that one environment has of one log.
 *
 * Mappings are kept and used again when their block is recycled: mapping again
 * for each segment would queue a finalizer per mapping, and none of them runs
 * before a synchronous loop ends. Nothing is detached: the first detach in an
 * isolate makes every typed-array loop in the process slower.
 *
 * With strict views each pin has a mapping of its own instead, which is detached
 * with the pin: no one else looks through it, and nothing is kept for the next
 * pin of the block.
 *
 * This object refers to no {@link Lease}: it is what stays reachable when a
 * lease is collected.
 */
import { SEGMENT_FIELDS, SegmentField } from '../base/codes';
import { UNMAPPED, type Mapping } from './mapping';
import { logRefused, type NativeLog } from './native-log';
import type { Layout } from './layout';
import { wholeOf, type Storage } from './storage';
import { PinnedSegment, type Window } from './window';

/** Windows of mappings that are kept next to those of segments that are pinned. */
const KEPT_WINDOWS = 4;

export class Pins {
  readonly #native: NativeLog;
  readonly #layout: Layout;
  readonly #storage: Storage;
  /** Kept strongly, by segment id. */
  readonly #mappings: (Mapping | undefined)[] = [];
  /** Buffers that live on for their users' sake only, with their keys, by segment id. */
  readonly #weakBuffers = new Map<number, { buffer: WeakRef<ArrayBufferLike>; key: number }>();
  readonly #fields: Float64Array;
  /** Pins that this environment has of a segment, and the sequence that it had when it was pinned last; by id. */
  readonly #pinCounts: number[] = [];
  readonly #sequences: number[] = [];
  /** Segments with pins, and segments with mappings that are kept. */
  #pinned = 0;
  #kept = 0;
  #newest = 0;

  constructor(native: NativeLog, layout: Layout, storage: Storage) {
    this.#native = native;
    this.#layout = layout;
    this.#storage = storage;
    this.#fields = new Float64Array(SEGMENT_FIELDS * native.retainedSegments);
  }

  /** Pins the window's segments from sequence `floor` on, ascending; at least the head. */
  pin(floor: number): PinnedSegment[] {
    const fields = this.#fields;
    const count = this.#native.pinWindow(floor, fields);
    if (count < 0) throw logRefused(count, this.#native.isReadOnly);
    const length = count * SEGMENT_FIELDS;
    const segments: PinnedSegment[] = [];
    try {
      for (let i = 0; i < length; i += SEGMENT_FIELDS) {
        const id = integer(fields[i + SegmentField.id]!);
        const sequence = integer(fields[i + SegmentField.sequence]!);
        const firstIndex = integer(fields[i + SegmentField.firstIndex]!);
        const count = integer(fields[i + SegmentField.count]!);
        const isFinal = i + SEGMENT_FIELDS < length;
        this.#count(id, sequence);
        segments.push(new PinnedSegment(id, sequence, firstIndex, count, isFinal));
      }
      // Kept from now on: what comes after a pin cannot fail.
      if (segments.length > 0) this.#storage.wordOf(segments[segments.length - 1]!.id);
    } catch (error) {
      const ids = fields.subarray(0, length).filter((_, i) => i % SEGMENT_FIELDS === SegmentField.id);
      for (const id of ids) this.#native.unpin(id);
      for (const id of ids.subarray(0, segments.length + 1)) this.#uncount(id);
      throw error;
    }
    return segments;
  }

  /** The mapping of a pinned segment, made when it is first asked for, and again when its ArrayBuffer was transferred away. */
  attached(segment: PinnedSegment): Mapping {
    if (!segment.mapping.isAttached) segment.mapping = this.#mappingOf(segment.id);
    return segment.mapping;
  }

  /** A window that held the segment has ended. */
  drop(segment: PinnedSegment): void {
    if (--segment.holders > 0) return;
    const { id, mapping } = segment;
    this.#uncount(id);
    if (mapping === UNMAPPED) {
      // Then there are no views of it that need the pin.
      this.#native.unpin(id);
    } else if (segment.isAbandoned) {
      mapping.ownsPins = true;
      this.#native.leavePinToMapping(id, mapping.key);
    } else {
      // Before the pin: nothing newer may be seen through it.
      if (this.#layout.strictViews) mapping.detach();
      this.#native.unpin(id);
    }
    // An ArrayBuffer that owns pins releases them when it is collected, so
    // nothing here may keep it.
    const kept = this.#mappings[id];
    if (kept?.ownsPins) {
      this.#mappings[id] = undefined;
      --this.#kept;
      this.#weakBuffers.set(id, { buffer: new WeakRef(kept.buffer), key: kept.key });
    }
  }

  /** Ends the views of segments that stay pinned; only with strict views. */
  endViews(window: Window): void {
    if (!this.#layout.strictViews) return;
    for (const { mapping } of window.copy()) if (mapping !== UNMAPPED) mapping.detach();
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

  /** Leaves the log: releases every pin and mapping, and the memory. */
  close(): void {
    this.#mappings.length = 0;
    this.#weakBuffers.clear();
    const { ownMemory } = this.#storage;
    this.#native.close(ownMemory && wholeOf(ownMemory));
    this.#storage.close();
  }

  #mappingOf(id: number): Mapping {
    const mapping = this.#mappings[id];
    if (mapping?.isAttached) return mapping;
    const kept = this.#weakBuffers.get(id);
    const buffer = kept?.buffer.deref();
    const made = buffer?.byteLength
      ? this.#storage.mapAgain(id, buffer, kept!.key)
      : this.#storage.mapForReading(id);
    if (made.buffer === buffer) made.ownsPins = true;
    else this.#weakBuffers.delete(id);
    if (!this.#layout.strictViews) {
      if (mapping === undefined) ++this.#kept;
      this.#mappings[id] = made;
    }
    return made;
  }

  #count(id: number, sequence: number): void {
    const count = this.#pinCounts[id] ?? 0;
    this.#pinCounts[id] = count + 1;
    if (count === 0) ++this.#pinned;
    this.#sequences[id] = sequence;
    if (sequence > this.#newest) this.#newest = sequence;
  }

  #uncount(id: number): void {
    if (--this.#pinCounts[id]! > 0) return;
    --this.#pinned;
    const { retainedSegments } = this.#native;
    if (this.#kept > 2 * this.#pinned + KEPT_WINDOWS * (retainedSegments + KEPT_WINDOWS)) this.#shrink();
  }

  /** After a peak: drops what is kept of segments that have not been seen for as long as they would take to come again. */
  #shrink(): void {
    const { segments, idle } = this.#native.stats();
    const age = segments - idle + 2 * this.#native.retainedSegments;
    for (let id = 0; id < this.#mappings.length; ++id) {
      if (this.#mappings[id] === undefined || this.#pinCounts[id]! > 0) continue;
      if (this.#newest - this.#sequences[id]! < age) continue;
      this.#mappings[id] = undefined;
      --this.#kept;
      this.#storage.forget(id);
    }
  }
}

/**
 * Elements of a Float64Array are doubles to V8 even when they are whole. As small
 * integers they make refresh() and snapshot() faster by a third.
 */
function integer(field: number): number {
  return field < 2 ** 30 ? field | 0 : field;
}
