import type { Mapping } from './mapping';
import type { NativeWriter } from './native-log';
import type { Storage } from './storage';

/**
 * The writer's mappings of the segments that it writes to, by segment id; kept
 * apart from the readers', and used again when a segment is recycled.
 */
export class HeadMappings {
  /** Users never get these ArrayBuffers, so nobody else can detach them. */
  readonly #own: (Mapping | undefined)[] = [];
  /** Those of spans, and of what codecs write to: users can transfer them away, at any time. */
  readonly #shown: (Mapping | undefined)[] = [];

  constructor(
    private readonly native: NativeWriter,
    private readonly storage: Storage,
  ) {}

  /** `id` is the head's. */
  own(id: number): Mapping {
    return (this.#own[id] ??= this.storage.mapOwnHead(id, this.native));
  }

  /** The head's mapping that users may see. */
  shown(id: number): Mapping {
    const mapping = this.#shown[id];
    if (mapping?.isAttached) return mapping;
    return (this.#shown[id] = this.storage.mapForWriting(id, this.native));
  }

  clear(): void {
    this.#own.length = 0;
    this.#shown.length = 0;
  }
}
