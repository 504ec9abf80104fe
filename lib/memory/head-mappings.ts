/** How the memory of a writer's head is mapped, and kept for when a segment is used again. */
import type { Mapping } from './mapping';
import type { NativeWriter } from './native-log';
import type { Storage } from './storage';

/** So many windows of mappings are kept at most. */
const KEPT_WINDOWS = 4;

/**
 * The writer's mappings of the segments that it writes to, by segment id; kept
 * apart from the readers', and used again when a segment is recycled.
 */
export class HeadMappings {
  /** Users never get these ArrayBuffers, so no one else can detach them. */
  readonly #own: (Mapping | undefined)[] = [];
  /** Those of spans, and of what codecs write to: users can transfer them away, at any time. */
  readonly #shown: (Mapping | undefined)[] = [];

  /** Mappings in `#own`. */
  #count = 0;

  constructor(
    private readonly native: NativeWriter,
    private readonly storage: Storage,
    private readonly retainedSegments: number,
  ) {}

  /** `id` is the head's. */
  own(id: number): Mapping {
    const known = this.#own[id];
    if (known !== undefined) return known;
    const made = this.storage.mapOwnHead(id, this.native);
    // After a peak of pins most segments never come again; a new mapping costs little next to a new segment.
    if (this.#count >= KEPT_WINDOWS * (this.retainedSegments + KEPT_WINDOWS)) this.clear();
    ++this.#count;
    return (this.#own[id] = made);
  }

  /** The head's mapping that users may see. */
  shown(id: number): Mapping {
    const mapping = this.#shown[id];
    if (mapping?.isAttached) return mapping;
    return (this.#shown[id] = this.storage.mapForWriting(id, this.native));
  }

  clear(): void {
    this.#count = 0;
    this.#own.length = 0;
    this.#shown.length = 0;
  }
}
