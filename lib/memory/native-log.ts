/**
 * An environment's attachment to a log, and a claim, as objects. The addon has one
 * function for all of them and knows each by a number, because a function per
 * object would leave a finalizer that waits for the event loop to turn.
 *
 * Nothing here is noticed by the collector: who makes one must close it, and
 * lib/memory/view.ts does so for users that were dropped.
 */
import { type Arrival, type IoCode, NO_SLOT, StagedCell, Status } from '../base/codes';
import type {
  NativeLivingSlot,
  NativeLogDescription,
  NativeSharedLogDescription,
  NativeStats,
  NativeStatus,
} from '../../types/native';
import { plainError, type AtomicLogError } from '../base/errors';
import { addon } from '../base/native';

const { logs, writers } = addon;
/** Those that are called often, because properties of the addon's objects are slow: V8 holds them in dictionaries. */
const { pinWindow, unpin, hasEnded, bounds } = logs;
const { roll, publish, staged } = writers;
/** Constants of this module, because publish() is called for every entry. */
const { writer: WRITER_CELL, count: COUNT_CELL } = StagedCell;

export class NativeLog {
  readonly id: number;
  readonly token: string;
  readonly descriptor: string;
  readonly retainedCapacity: number;
  readonly segmentCapacity: number;
  readonly retainedSegments: number;
  readonly isShared: boolean;
  /** Where blocks are in a SharedArrayBuffer: the first one, and each after the last. */
  readonly blocksAt: number;
  readonly strideBytes: number;
  /** Bytes of the SharedArrayBuffer that the blocks of a log that processes share are laid over; 0 where they are not. */
  readonly shownBytes: number;
  readonly blockBytes: number;
  readonly columnOffsets: readonly number[];
  /** Whether processes share it. */
  readonly isOfProcesses: boolean;
  /** Whether what is pinned are copies, which {@link catchUp} brings up to date. */
  readonly isReadOnly: boolean;
  /** Whether waiters are woken when something is published; else they look again and again. */
  readonly wakesAtOnce: boolean;
  #slot: number;

  constructor(description: NativeLogDescription | NativeSharedLogDescription) {
    const shared = 'shownBytes' in description ? description : undefined;
    this.isOfProcesses = shared !== undefined;
    this.isReadOnly = shared?.isReadOnly === true;
    this.blocksAt = shared?.blocksAt ?? 0;
    this.shownBytes = shared?.shownBytes ?? 0;
    this.wakesAtOnce = shared?.wakesAtOnce !== false;
    // Copied for the same reason.
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
    return pinWindow(this.#slot, floor, out);
  }
  unpin(id: number): void {
    unpin(this.#slot, id);
  }
  leavePinToMapping(id: number, key: number): void {
    logs.leavePinToMapping(this.#slot, id, key);
  }
  map(id: number, key: number): ArrayBuffer | null {
    return logs.map(this.#slot, id, key);
  }
  mapBlock(id: number): ArrayBuffer | null {
    return logs.mapBlock(this.#slot, id);
  }
  adopt(id: number, key: number, buffer: SharedArrayBuffer): void {
    logs.adopt(this.#slot, id, key, buffer);
  }
  layOver(memory: Uint8Array): IoCode {
    return logs.layOver(this.#slot, memory);
  }
  forget(id: number): void {
    logs.forget(this.#slot, id);
  }
  catchUp(): void {
    logs.catchUp(this.#slot);
  }
  livingSlots(): readonly NativeLivingSlot[] {
    return logs.livingSlots(this.#slot);
  }
  bounds(out: Float64Array): void {
    if (bounds(this.#slot, out) === false) throw logDamaged();
  }
  stats(): NativeStats {
    return logs.stats(this.#slot);
  }
  isClaimed(): boolean {
    return logs.isClaimed(this.#slot);
  }
  hasEnded(): boolean {
    return hasEnded(this.#slot);
  }
  isReplaced(): boolean {
    return logs.isReplaced(this.#slot);
  }
  waitForIndex(id: number, index: number): boolean {
    return logs.waitForIndex(this.#slot, id, index);
  }
  waitForClaim(id: number): boolean {
    return logs.waitForClaim(this.#slot, id);
  }
  waitForRequest(id: number): void {
    logs.waitForRequest(this.#slot, id);
  }
  request(): void {
    logs.request(this.#slot);
  }
  cancelWait(id: number): void {
    logs.cancelWait(this.#slot, id);
  }
  waitSlice(index: number, milliseconds: number, orUnclaimed: boolean): Arrival {
    return logs.waitSlice(this.#slot, index, milliseconds, orUnclaimed);
  }
  follow(id: number, nextIndex: number): void {
    logs.follow(this.#slot, id, nextIndex);
  }
  unfollow(id: number): void {
    logs.unfollow(this.#slot, id);
  }
  nameReader(name: string): void {
    logs.nameReader(this.#slot, name);
  }
  nativeHandle(): object | null {
    return logs.nativeHandle(this.#slot);
  }
  tryClaim(): NativeWriter | null {
    const slot = logs.tryClaim(this.#slot);
    if (slot === null) return null;
    if (slot < 0) throw logRefused(slot);
    return new NativeWriter(slot);
  }
  /** `memory`: all of the log's shared storage. */
  close(memory: Uint8Array | undefined): void {
    const slot = this.#slot;
    this.#slot = NO_SLOT;
    logs.close(slot, memory);
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

  constructor(slot: number) {
    this.#slot = slot;
  }

  /** Its number, for {@link publishEntries}. */
  get slot(): number {
    return this.#slot;
  }
  roll(count: number): NativeStatus {
    return roll(this.#slot, count);
  }
  map(): ArrayBuffer | null {
    return writers.map(this.#slot);
  }
  mapBlock(): ArrayBuffer | null {
    return writers.mapBlock(this.#slot);
  }
  commit(memory: Uint8Array): void {
    writers.commit(this.#slot, memory);
  }
  head(out: Float64Array): void {
    writers.head(this.#slot, out);
  }
  end(): void {
    writers.end(this.#slot);
  }
  close(): void {
    const slot = this.#slot;
    this.#slot = NO_SLOT;
    writers.close(slot);
  }
}

export function logDamaged(): AtomicLogError {
  return plainError(
    'ERR_LOG_DAMAGED',
    'the memory of this log holds what no process of it may have stored: another program, or a stray store, wrote ' +
      'there; AtomicLog.unlink() its file, and open a new one',
  );
}

/** What a native log says, a Status below 0, of pins or of a claim that it did not give. */
export function logRefused(status: number, isReadOnly = false): AtomicLogError {
  if (status === -Status.pinned) {
    return plainError(
      'ERR_PINNED_BYTES',
      'this process holds a segment 65,535 times, which is as often as the log counts; close snapshots that are done',
    );
  }
  if (status !== -Status.outOfMemory) return logDamaged();
  return plainError(
    'ERR_OUT_OF_MEMORY',
    isReadOnly
      ? 'the system refused memory for a copy of the window, which a reader that may not write needs; close snapshots ' +
          'that are done, or open the log without readOnly'
      : 'the system refused memory for the list of segments; close snapshots and logs that are done, then try again',
  );
}

export function logIsReadOnly(): AtomicLogError {
  return plainError(
    'ERR_READ_ONLY',
    'the log was opened with readOnly: true; open it with create: false to append',
  );
}
