/** Appending: what is checked, what waits for the committer, and what does not. */
import { WAL_BATCH_ITEM_BYTES, WAL_BODY_BYTES_MAX, WalLevel } from '../../base/codes';
import { checkBytes, optionsOf } from '../../base/checks';
import { copyBytes } from '../../base/copy';
import { invalidType } from '../../base/errors';
import { typedArrayLength, typedArrayTag } from '../../base/typed-array';
import { newBytes } from '../errors';
import { checkLengths } from '../lengths';
import type { WalCore } from './core';
import { batchTooLarge, entryTooLarge } from './errors';
import { checkDurability, checkLsn, type Durability } from './options';

/** How one entry is appended. */
export interface AppendOptions {
  /** When it is acknowledged. Default: the log's. */
  durability?: Durability;
  /** Refuse it with `ERR_LSN_MISMATCH` when it, or the first entry of the batch, would get another LSN. */
  expectedLsn?: number;
}

/** LSNs of the first and the last entry of a batch. */
export interface AppendedBatch {
  first: number;
  last: number;
}

interface CheckedAppend {
  readonly level: WalLevel;
  readonly expectedLsn: number;
}

const APPEND_OPTIONS = ['durability', 'expectedLsn'] as const;

function firstOf(lsn: number): number {
  return lsn;
}

export class Appender {
  readonly #core: WalCore;
  /** One entry, for calls that need an array. */
  readonly #length = new Uint32Array(1);

  constructor(core: WalCore) {
    this.#core = core;
  }

  append(data: Uint8Array, options: AppendOptions | undefined): Promise<number> {
    const done =
      options === undefined
        ? this.#core.queue.append(data, this.#checkEntry(data), this.#core.options.level)
        : this.#appendWith(options, data);
    this.#core.waiting();
    return done;
  }

  appendSync(data: Uint8Array, options: AppendOptions | undefined): number {
    const { level, expectedLsn } = this.#checkAppend(options);
    return this.#appendNow(level, expectedLsn, data, this.#checkEntry(data));
  }

  write(data: Uint8Array): number {
    const bytes = this.#checkEntry(data);
    const { queue } = this.#core;
    const staged = queue.write(data, bytes);
    if (staged > 0) return staged;
    const lsn = this.#appendNow(WalLevel.none, 0, data, bytes);
    // A hook that was called meanwhile may have closed the log.
    if (!this.#core.isClosed) queue.secureRoom();
    return lsn;
  }

  appendBatch(entries: unknown, second: unknown, third: AppendOptions | undefined): Promise<AppendedBatch> {
    const isTyped = typedArrayTag(entries) !== undefined;
    if (isTyped ? second !== undefined : isLengths(second)) return this.#appendPacked(entries, second, third);
    if (isTyped || typeof entries !== 'object' || entries === null || !(Symbol.iterator in entries)) {
      throw invalidType('entries', 'an iterable of Uint8Arrays (or give lengths too)', entries);
    }
    const all = Array.from(entries as Iterable<Uint8Array>);
    const checked = this.#checkAppend(second as AppendOptions | undefined);
    const lengths = new Uint32Array(all.length);
    for (let i = 0; i < all.length; ++i) lengths[i] = checkEntryOf(all, i);
    this.#core.checkOpen();
    this.#checkBatch(lengths);
    return this.#appendWhole(checked, pack(all, lengths), lengths);
  }

  /** Entries that lie in `bytes` one after the other. */
  #appendPacked(
    bytes: unknown,
    lengths: unknown,
    options: AppendOptions | undefined,
  ): Promise<AppendedBatch> {
    const checked = this.#checkAppend(options);
    const sizes = checkLengths(lengths, bytes, { min: 0, max: WAL_BODY_BYTES_MAX });
    this.#core.checkOpen();
    this.#checkBatch(sizes);
    return this.#appendWhole(checked, bytes as Uint8Array, sizes);
  }

  #appendWhole(
    { level, expectedLsn }: CheckedAppend,
    data: Uint8Array,
    lengths: Uint32Array,
  ): Promise<AppendedBatch> {
    const { queue } = this.#core;
    const count = lengths.length;
    const done =
      count === 0
        ? queue.sync((last) => ({ first: last + 1, last }))
        : queue.appendWhole(level, true, expectedLsn, data, lengths, (first) => ({
            first,
            last: first + count - 1,
          }));
    this.#core.waiting();
    return done;
  }

  #appendWith(options: AppendOptions, data: Uint8Array): Promise<number> {
    const { level, expectedLsn } = this.#checkAppend(options);
    const bytes = this.#checkEntry(data);
    const { queue } = this.#core;
    if (expectedLsn === 0) return queue.append(data, bytes, level);
    return queue.appendWhole(level, false, expectedLsn, data, Uint32Array.of(bytes), firstOf);
  }

  #appendNow(level: WalLevel, expectedLsn: number, data: Uint8Array, bytes: number): number {
    this.#length[0] = bytes;
    const length = this.#length;
    return this.#core.now((native) => native.appendNow(level, false, expectedLsn, data, bytes, length, 1));
  }

  #checkEntry(data: Uint8Array): number {
    const bytes = checkBytes('data', data);
    this.#core.checkOpen();
    if (bytes > this.#core.entryBytesMax) throw entryTooLarge(bytes, this.#core.entryBytesMax);
    return bytes;
  }

  #checkBatch(lengths: Uint32Array): void {
    const { native, entryBytesMax } = this.#core;
    let needed = WAL_BATCH_ITEM_BYTES * lengths.length;
    for (let i = 0; i < lengths.length; ++i) {
      const length = lengths[i]!;
      if (length > entryBytesMax) throw entryTooLarge(length, entryBytesMax, i);
      needed += length;
    }
    if (needed > native.entryBytesMax) throw batchTooLarge(needed, native.entryBytesMax);
  }

  /** To be called before the data is measured: a getter may close the log, and detach or resize the data. */
  #checkAppend(options: AppendOptions | undefined): CheckedAppend {
    const { level } = this.#core.options;
    if (options === undefined) return { level, expectedLsn: 0 };
    const { durability, expectedLsn } = optionsOf('options', options, APPEND_OPTIONS);
    return {
      level: durability === undefined ? level : checkDurability('options.durability', durability),
      expectedLsn: expectedLsn === undefined ? 0 : checkLsn('options.expectedLsn', expectedLsn, 1),
    };
  }
}

function isLengths(value: unknown): boolean {
  return Array.isArray(value) || typedArrayTag(value) !== undefined;
}

/** The length of entry `i`. Its name is made only for an error: batches are long. */
function checkEntryOf(entries: readonly Uint8Array[], i: number): number {
  const entry = entries[i]!;
  return typedArrayTag(entry) === 'Uint8Array' ? typedArrayLength(entry) : checkBytes(`entries[${i}]`, entry);
}

/** All entries, one after the other. */
function pack(entries: readonly Uint8Array[], lengths: Uint32Array): Uint8Array {
  let bytes = 0;
  for (let i = 0; i < lengths.length; ++i) bytes += lengths[i]!;
  const packed = newBytes(bytes, 'the batch');
  let at = 0;
  for (let i = 0; i < entries.length; ++i) {
    copyBytes(packed, at, entries[i]!, lengths[i]!);
    at += lengths[i]!;
  }
  return packed;
}
