/**
 * How the blocks of one log come into JavaScript, without copying:
 *
 * - external: native memory, one external ArrayBuffer per block;
 * - shared: one growable SharedArrayBuffer per log, for runtimes that allow no
 *   external memory (V8's sandbox, as in Electron). It travels in the handle,
 *   and every environment that attached holds it; native code uses its address.
 *   Of a log that processes share, every environment has one of its own, over
 *   which the addon lays the file (lib/memory/overlay.ts).
 *
 * Nothing else needs to know which of the two a log has.
 */
import { types } from 'node:util';
import { environmentVariable } from '../base/runtime';
import { plainError, rangeError, typeError, type AtomicLogError } from '../base/errors';
import { Mapping } from './mapping';
import { addon } from '../base/native';
import type { NativeLog, NativeWriter } from './native-log';
import type { Layout } from './layout';
import { structuredClone } from '../base/timers';

/** How a log's memory is shown to JavaScript. */
export type MappingKind = 'external' | 'shared';

/** How those who wait for entries learn of them: they are woken, or they look again and again. */
export type WakeUps = 'immediate' | 'polled';

/** Node 20 and Bun refuse longer ones. */
export const SHARED_BYTES_MAX = 2 ** 32;
/** Address space for blocks that are pinned outside the window; it costs no memory. */
const PINNED_WINDOWS = 7;
const RESERVED_BYTES_MIN = 2 ** 24;
const COMMITTED_BYTES_MIN = 2 ** 16;

export class Storage {
  readonly #native: NativeLog;
  readonly #layout: Layout;
  #lastKey = 0;
  /** The published words, by segment id: a block stays where it is for as long as the log lives. */
  readonly #words: (Int32Array | undefined)[] = [];
  /** Whole blocks of external memory for the library's own use, by segment id. Users never get these ArrayBuffers. */
  readonly #blocks: (ArrayBuffer | undefined)[] = [];
  readonly kind: MappingKind;
  #memory: SharedArrayBuffer | undefined;

  constructor(native: NativeLog, layout: Layout, memory: SharedArrayBuffer | undefined) {
    this.#native = native;
    this.#layout = layout;
    this.#memory = memory;
    this.kind = memory === undefined ? 'external' : 'shared';
  }

  /** Undefined for external memory, and once the view of the log is closed. */
  get memory(): SharedArrayBuffer | undefined {
    return this.#memory;
  }

  /** What of it is the log's own, in every environment: a handle carries it, and the addon returns its pages. */
  get ownMemory(): SharedArrayBuffer | undefined {
    return this.#native.isOfProcesses ? undefined : this.#memory;
  }

  /** Releases the memory. A view that is still there keeps its part of it. */
  close(): void {
    this.#words.length = 0;
    this.#blocks.length = 0;
    this.#memory = undefined;
  }

  /** Nothing of a segment that is not pinned here is kept. */
  forget(id: number): void {
    this.#words[id] = undefined;
    this.#blocks[id] = undefined;
    this.#native.forget(id);
  }

  /** A new mapping of a pinned segment. Its buffer can own pins: it is collected with its last view. */
  mapForReading(id: number): Mapping {
    const key = (this.#lastKey = (this.#lastKey + 1) % 2 ** 32);
    if (this.memory === undefined) return this.#over(id, this.#native.map(id, key), key);
    // Another object over the same memory, whose collection can be noticed.
    const buffer = structuredClone(this.memory);
    this.#native.adopt(id, key, buffer);
    return this.#over(id, buffer, key);
  }

  /** A mapping of the head for its writer alone. */
  mapOwnHead(id: number, writer: NativeWriter): Mapping {
    if (this.memory !== undefined) return this.mapForWriting(id, writer);
    const buffer = (this.#blocks[id] ??= writer.mapBlock() ?? undefined);
    if (buffer === undefined) throw mappingUnavailable();
    const { columnOffsets, segmentCapacity, isOfProcesses } = this.#native;
    return new Mapping(buffer, 0, this.#layout, columnOffsets, segmentCapacity, 0, isOfProcesses);
  }

  /** A new mapping of the head for its writer, which users may see. */
  mapForWriting(id: number, writer: NativeWriter): Mapping {
    return this.#over(id, this.memory ?? writer.map());
  }

  /** A mapping of a reader over a buffer that it had before. */
  mapAgain(id: number, buffer: ArrayBufferLike, key: number): Mapping {
    return this.#over(id, buffer, key);
  }

  /** A mapping over a buffer; readers' buffers have a key by which the addon knows them. */
  #over(id: number, buffer: ArrayBufferLike | null, key?: number): Mapping {
    if (buffer === null) throw mappingUnavailable();
    const { columnOffsets, segmentCapacity, isOfProcesses } = this.#native;
    // An external buffer begins with the columns.
    const start = this.memory === undefined ? -columnOffsets[0]! : this.#startOf(id);
    return new Mapping(buffer, start, this.#layout, columnOffsets, segmentCapacity, key, isOfProcesses);
  }

  /** Where a block is in shared memory. */
  #startOf(id: number): number {
    return this.#native.blocksAt + id * this.#native.strideBytes;
  }

  /**
   * The published word of a pinned segment. Int32Array, because an unsigned view is slower to
   * load from. With external memory it is in an ArrayBuffer that users never get.
   */
  wordOf(id: number): Int32Array {
    const known = this.#words[id];
    if (known !== undefined) return known;
    const start = this.memory === undefined ? 0 : this.#startOf(id);
    const buffer = this.memory ?? (this.#blocks[id] ??= this.#native.mapBlock(id) ?? undefined);
    if (buffer === undefined) throw mappingUnavailable();
    return (this.#words[id] = new Int32Array(buffer, start, 1));
  }

  /**
   * With strict views: the block begins a new segment. Views of shared memory cannot be taken away, so what
   * they showed is overwritten, with NaN in floating-point columns and ones in all bits of others.
   */
  wipe(id: number): void {
    if (this.memory === undefined) return;
    const { blockBytes, columnOffsets } = this.#native;
    const first = columnOffsets[0]!;
    new Uint8Array(this.memory, this.#startOf(id) + first, blockBytes - first).fill(0xff);
  }

  /** Makes room for one more block at least; false when there is none. */
  grow(writer: NativeWriter): boolean {
    const { memory } = this;
    if (memory === undefined) return false;
    const { byteLength, maxByteLength } = memory;
    const step = Math.max(this.#native.strideBytes, byteLength / 4);
    try {
      memory.grow(Math.min(Math.ceil(byteLength + step), maxByteLength));
    } catch {
      return false;
    }
    writer.commit(wholeOf(memory));
    return true;
  }
}

/** All of the memory that may be touched now. Of fixed length: views that track a length are slow. */
export function wholeOf(memory: SharedArrayBuffer): Uint8Array {
  return new Uint8Array(memory, 0, memory.byteLength);
}

export function isSharedMemory(value: unknown): value is SharedArrayBuffer {
  return types.isSharedArrayBuffer(value);
}

let mapsExternal: boolean | undefined;

/** Asked once: asking costs a mapping. */
export function canMapExternal(): boolean {
  return (mapsExternal ??= addon.canMapExternal());
}

/** What the option, the environment variable ATOMIC_LOG_MAPPING and the runtime together decide. */
export function chooseMapping(option: MappingKind | 'auto'): MappingKind {
  const wish = option === 'auto' ? (environmentVariable('ATOMIC_LOG_MAPPING') ?? 'auto') : option;
  switch (wish) {
    case 'auto':
      return canMapExternal() ? 'external' : 'shared';
    case 'external':
      if (!canMapExternal()) throw mappingUnavailable();
      return wish;
    case 'shared':
      return wish;
    default:
      throw typeError(
        'ERR_INVALID_ARG_VALUE',
        `the environment variable ATOMIC_LOG_MAPPING must be 'auto', 'external' or 'shared'; it is '${wish}'`,
      );
  }
}

/** The SharedArrayBuffer for a new log with such a window. */
export function reserveShared(retainedSegments: number, strideBytes: number): SharedArrayBuffer {
  const windowBytes = retainedSegments * strideBytes;
  if (windowBytes > SHARED_BYTES_MAX) throw windowTooLarge(windowBytes);
  const reserved = Math.max(windowBytes * (1 + PINNED_WINDOWS), RESERVED_BYTES_MIN);
  const committed = Math.max(strideBytes, Math.min(windowBytes, COMMITTED_BYTES_MIN));
  return growableShared(committed, Math.min(reserved, SHARED_BYTES_MAX));
}

/** Growable ones begin on a page, and are apart from any other memory. */
export function growableShared(bytes: number, bytesMax: number): SharedArrayBuffer {
  if (typeof SharedArrayBuffer !== 'function') {
    throw plainError(
      'ERR_MAPPING_UNAVAILABLE',
      'this runtime has neither external memory nor SharedArrayBuffer (as a renderer of Electron that is not ' +
        'cross-origin isolated); put the log into the main or a utility process',
    );
  }
  try {
    return new SharedArrayBuffer(bytes, { maxByteLength: bytesMax });
  } catch (cause) {
    throw plainError(
      'ERR_OUT_OF_MEMORY',
      `the system refused ${bytesMax} bytes of address space for the log; choose a ` +
        'smaller retainedCapacity, segmentCapacity or dataBytes, or close logs that are done',
      cause,
    );
  }
}

export function windowTooLarge(bytes: number): AtomicLogError {
  return rangeError(
    'ERR_OUT_OF_RANGE',
    `the window needs ${bytes} bytes; a log with shared mapping has at most ${SHARED_BYTES_MAX}, ` +
      'so choose a smaller retainedCapacity',
  );
}

function mappingUnavailable(): AtomicLogError {
  return plainError(
    'ERR_MAPPING_UNAVAILABLE',
    'this runtime does not let native memory be mapped (V8 sandbox, as in Electron) or has no memory left for it; ' +
      "make the log with mapping: 'shared'",
  );
}
