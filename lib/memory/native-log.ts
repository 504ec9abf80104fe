/**
 * An environment's attachment to a log, and a claim, as objects. The addon has one
 * function for all of them and knows each by a number, because a function per
 * object would leave a finalizer that waits for the event loop to turn.
 *
 * Nothing here is noticed by the collector: who makes one must close it, and
 * lib/memory/view.ts does so for users that were dropped.
 */
import { type Arrival, NO_SLOT, StagedCell } from '../base/codes';
import type {
  NativeLogDescription,
  NativeLogs,
  NativeStats,
  NativeStatus,
  NativeWriters,
} from '../../types/native';
import { plainError, type AtomicLogError } from '../base/errors';
import { addon } from '../base/native';

const { publish, staged } = addon.writers;
/** Constants of this module, because publish() is called for every entry. */
const { writer: WRITER_CELL, count: COUNT_CELL } = StagedCell;

/** The functions of the addon for one kind of log. Copied, because the addon's objects are dictionaries to V8. */
export interface LogFunctions {
  readonly logs: NativeLogs;
  readonly writers: Omit<NativeWriters, 'publish' | 'staged'>;
}

/** For the logs of one process. */
const ownLogs: LogFunctions = { logs: { ...addon.logs }, writers: { ...addon.writers } };

export class NativeLog {
  readonly id: number;
  readonly token: string;
  readonly descriptor: string;
  readonly retainedCapacity: number;
  readonly segmentCapacity: number;
  readonly retainedSegments: number;
  readonly isShared: boolean;
  readonly strideBytes: number;
  readonly blockBytes: number;
  readonly columnOffsets: readonly number[];
  /** Whether processes share it. */
  readonly isOfProcesses: boolean;
  #slot: number;
  readonly #functions: LogFunctions;
  readonly #logs: NativeLogs;

  constructor(description: NativeLogDescription, functions = ownLogs) {
    this.#functions = functions;
    this.#logs = functions.logs;
    this.isOfProcesses = functions !== ownLogs;
    // Copied, because properties of the addon's objects are slow: V8 holds them in dictionaries.
    this.id = description.id;
    this.token = description.token;
    this.descriptor = description.descriptor;
    this.retainedCapacity = description.retainedCapacity;
    this.segmentCapacity = description.segmentCapacity;
    this.retainedSegments = description.retainedSegments;
    this.isShared = description.isShared;
    this.strideBytes = description.strideBytes;
    this.blockBytes = description.blockBytes;
    this.columnOffsets = description.columnOffsets;
    this.#slot = description.slot;
  }

  pinWindow(floor: number, out: Float64Array): number {
    return this.#logs.pinWindow(this.#slot, floor, out);
  }
  unpin(id: number): void {
    this.#logs.unpin(this.#slot, id);
  }
  leavePinToMapping(id: number, key: number): void {
    this.#logs.leavePinToMapping(this.#slot, id, key);
  }
  map(id: number, key: number): ArrayBuffer | null {
    return this.#logs.map(this.#slot, id, key);
  }
  mapBlock(id: number): ArrayBuffer | null {
    return this.#logs.mapBlock(this.#slot, id);
  }
  adopt(id: number, key: number, buffer: SharedArrayBuffer): void {
    this.#logs.adopt(this.#slot, id, key, buffer);
  }
  forget(id: number): void {
    this.#logs.forget(this.#slot, id);
  }
  bounds(out: Float64Array): void {
    if (this.#logs.bounds(this.#slot, out) === false) throw logDamaged();
  }
  stats(): NativeStats {
    return this.#logs.stats(this.#slot);
  }
  isClaimed(): boolean {
    return this.#logs.isClaimed(this.#slot);
  }
  hasEnded(): boolean {
    return this.#logs.hasEnded(this.#slot);
  }
  waitForIndex(id: number, index: number): boolean {
    return this.#logs.waitForIndex(this.#slot, id, index);
  }
  waitForClaim(id: number): boolean {
    return this.#logs.waitForClaim(this.#slot, id);
  }
  waitForRequest(id: number): void {
    this.#logs.waitForRequest(this.#slot, id);
  }
  request(): void {
    this.#logs.request(this.#slot);
  }
  cancelWait(id: number): void {
    this.#logs.cancelWait(this.#slot, id);
  }
  waitSlice(index: number, milliseconds: number): Arrival {
    return this.#logs.waitSlice(this.#slot, index, milliseconds);
  }
  follow(id: number, nextIndex: number): void {
    this.#logs.follow(this.#slot, id, nextIndex);
  }
  unfollow(id: number): void {
    this.#logs.unfollow(this.#slot, id);
  }
  nameReader(name: string): void {
    this.#logs.nameReader(this.#slot, name);
  }
  nativeHandle(): object | null {
    return this.#logs.nativeHandle(this.#slot);
  }
  tryClaim(): NativeWriter | null {
    const slot = this.#logs.tryClaim(this.#slot);
    if (slot === null) return null;
    if (slot < 0) throw logDamaged();
    return new NativeWriter(slot, this.#functions.writers);
  }
  /** `memory`: all of the log's shared storage. */
  close(memory: Uint8Array | undefined): void {
    const slot = this.#slot;
    this.#slot = NO_SLOT;
    this.#logs.close(slot, memory);
  }
}

/**
 * Makes the entries below `count` readable in the head of the writer with that number. A
 * function, because one look at an object fewer is felt when it is called for every entry.
 */
export function publishEntries(slot: number, count: number): void {
  staged[WRITER_CELL] = slot;
  staged[COUNT_CELL] = count;
  publish();
}

export class NativeWriter {
  #slot: number;
  readonly #writers: LogFunctions['writers'];

  constructor(slot: number, functions: LogFunctions['writers']) {
    this.#slot = slot;
    this.#writers = functions;
  }

  /** Its number, for {@link publishEntries}. */
  get slot(): number {
    return this.#slot;
  }
  roll(count: number): NativeStatus {
    return this.#writers.roll(this.#slot, count);
  }
  map(): ArrayBuffer | null {
    return this.#writers.map(this.#slot);
  }
  mapBlock(): ArrayBuffer | null {
    return this.#writers.mapBlock(this.#slot);
  }
  commit(memory: Uint8Array): void {
    this.#writers.commit(this.#slot, memory);
  }
  head(out: Float64Array): void {
    this.#writers.head(this.#slot, out);
  }
  end(): void {
    this.#writers.end(this.#slot);
  }
  close(): void {
    const slot = this.#slot;
    this.#slot = NO_SLOT;
    this.#writers.close(slot);
  }
}

export function logDamaged(): AtomicLogError {
  return plainError(
    'ERR_LOG_DAMAGED',
    'the memory of this log holds what no process of it may have stored: another program, or a stray store, wrote ' +
      'there; AtomicLog.unlink() its file, and open a new one',
  );
}
