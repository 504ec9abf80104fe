/**
 * One environment's access to one log, shared by all its AtomicLog objects,
 * snapshots and writers. It decides which window a new snapshot shares.
 */
import { BOUNDS_FIELDS, COUNT_MASK } from '../base/codes';
import { plainError, typeError } from '../base/errors';
import type { NativeHandle } from './handle';
import type { NativeLog, NativeWriter } from './native-log';
import { Pins } from './pins';
import type { Layout } from './layout';
import { Storage } from './storage';
import { queueMicrotask } from '../base/timers';
import { Lease, Window, type PinnedSegment } from './window';

const SPARE_LEASES_MAX = 4;

/**
 * Who needs an environment's attachment to a log; the last one closes it. It
 * refers to no lease and no user, so that the registries below may hold it while
 * they wait for those to be collected.
 */
class Attendance {
  /** AtomicLog objects, writers and followers of this environment that are open. */
  users = 0;
  liveWindows = 0;
  #isClosed = false;

  constructor(
    private readonly native: NativeLog,
    private readonly pins: Pins,
  ) {}

  closeIfUnused(): void {
    if (this.users > 0 || this.liveWindows > 0 || this.#isClosed) return;
    this.#isClosed = true;
    // After a view that was collected there may be another one already.
    const view = viewOfId(this.native.id);
    if (view === undefined || view.isOf(this)) viewsById.delete(this.native.id);
    this.pins.close();
  }

  /** A user is collected that was not closed. */
  userCollected(writer: NativeWriter | undefined): void {
    writer?.close();
    --this.users;
    this.closeIfUnused();
  }

  /** The snapshots of a window were collected without having been closed. */
  abandon(window: Window): void {
    if (window.isEmpty) return;
    this.pins.abandon(window);
    --this.liveWindows;
    this.closeIfUnused();
  }
}

interface Collected<T> {
  readonly attendance: Attendance;
  readonly what: T;
}

const collectedLeases = new FinalizationRegistry<Collected<Window>>(({ attendance, what }) =>
  attendance.abandon(what),
);
const collectedUsers = new FinalizationRegistry<Collected<NativeWriter | undefined>>(({ attendance, what }) =>
  attendance.userCollected(what),
);

/**
 * The views that a thread can attach to. Those that this thread attached to are
 * held weakly; one whose handle was read is not, because others may come.
 */
const viewsById = new Map<number, LogView | WeakRef<LogView>>();
let sweepViewsAt = 64;

function viewOfId(id: number): LogView | undefined {
  const view = viewsById.get(id);
  return view instanceof LogView ? view : view?.deref();
}

function sweepViews(): void {
  for (const id of viewsById.keys()) if (viewOfId(id) === undefined) viewsById.delete(id);
  sweepViewsAt = viewsById.size * 2 + 64;
}

/** The views that keep a window until the microtasks of this turn come. */
const withIdleWindow = new Set<LogView>();

function endTurn(): void {
  const views = [...withIdleWindow];
  withIdleWindow.clear();
  for (const view of views) view.endTurn();
}

export class LogView {
  readonly storage: Storage;
  readonly pins: Pins;
  /** Also here, because it is read so often. */
  readonly segmentCapacity: number;
  /** The head's published word, as {@link lease} and {@link extend} saw it last. */
  seenWord = 0;

  readonly #attendance: Attendance;
  /** The newest window, kept for the rest of the turn so that the next snapshot need not pin it again. */
  #current: Lease | undefined;
  #weakCurrent: WeakRef<Lease> | undefined;
  readonly #bounds = new Float64Array(BOUNDS_FIELDS);
  readonly #spareLeases: Lease[] = [];
  #nativeHandle: NativeHandle | null = null;

  private constructor(
    readonly native: NativeLog,
    readonly layout: Layout,
    memory: SharedArrayBuffer | undefined,
  ) {
    this.storage = new Storage(native, layout, memory);
    this.pins = new Pins(native, layout, this.storage);
    this.#attendance = new Attendance(native, this.pins);
    this.segmentCapacity = native.segmentCapacity;
  }

  /** The view of a log that was just made. */
  static made(native: NativeLog, layout: Layout, memory: SharedArrayBuffer | undefined): LogView {
    return new LogView(native, layout, memory);
  }

  /** The view that this environment has of a log, if it has one: then it need not attach again. */
  static known(id: number, token: string, memory: SharedArrayBuffer | undefined): LogView | undefined {
    const view = viewOfId(id);
    const isSame = view !== undefined && view.native.token === token && view.storage.ownMemory === memory;
    return isSame ? view : undefined;
  }

  /**
   * The view of a log that this environment attaches to. When this environment has one
   * already, `native` is closed again, and the view keeps the layout, and so the
   * codec and the mapping, that it has. `memory` gives the log's storage when that is shared.
   */
  static attached(native: NativeLog, layout: Layout, memory: () => SharedArrayBuffer | undefined): LogView {
    const known = viewOfId(native.id);
    if (known !== undefined) {
      native.close(undefined);
      return known;
    }
    const view = new LogView(native, layout, memory());
    if (viewsById.size >= sweepViewsAt) sweepViews();
    viewsById.set(native.id, new WeakRef(view));
    return view;
  }

  /**
   * Others may attach from now on: `user` counts until it is closed or the
   * environment ends, and is not missed when it is collected.
   */
  keepFor(user: object): void {
    viewsById.set(this.native.id, this);
    collectedUsers.unregister(user);
  }

  isOf(attendance: Attendance): boolean {
    return this.#attendance === attendance;
  }

  /** For native code; always the same object, because it names nothing but the log. */
  nativeHandle(): NativeHandle {
    if (this.layout.dataBytes > 0) {
      throw typeError('ERR_VARIABLE_SIZE', 'native threads can use logs of entries of fixed size only');
    }
    if (this.native.isOfProcesses) {
      throw plainError(
        'ERR_MAPPING_UNAVAILABLE',
        'native threads can use logs of one process only, and this one is shared by processes; let them append to one of ' +
          'this process, and append here what is read there',
      );
    }
    if (this.storage.memory !== undefined) {
      throw plainError(
        'ERR_MAPPING_UNAVAILABLE',
        'native threads cannot use a log with shared mapping: its memory goes with the last environment; ' +
          "make the log with mapping: 'external' where the runtime allows it",
      );
    }
    const handle = (this.#nativeHandle ??= this.native.nativeHandle() as NativeHandle | null);
    if (handle === null) throw plainError('ERR_OUT_OF_MEMORY', 'the runtime could not make a native handle');
    return handle;
  }

  /** The {@link BoundsField}s of the window as it is now; overwritten by the next call. */
  bounds(): Float64Array {
    this.native.bounds(this.#bounds);
    return this.#bounds;
  }

  /** `user` needs the view until it calls dropUser or is collected; then `writer`, if it is one, is closed. */
  addUser(user: object, writer?: NativeWriter): void {
    ++this.#attendance.users;
    collectedUsers.register(user, { attendance: this.#attendance, what: writer }, user);
  }

  dropUser(user: object): void {
    collectedUsers.unregister(user);
    --this.#attendance.users;
    this.#closeIfUnused();
  }

  /**
   * A lease of the window as it is now; `seenWord` is its head's word. O(1)
   * while the head has not been sealed, and O(what is new) after that while no
   * other snapshot has the last window. `own` is the lease of a snapshot that will
   * give it up for the result, which may be the same.
   */
  lease(own?: Lease): Lease {
    const lease = this.#current;
    if (lease !== undefined) {
      const { headWord } = lease.window;
      if (headWord.length !== 0) {
        this.seenWord = Atomics.load(headWord, 0);
        if (this.seenWord >= 0) return lease;
      }
    }
    return this.#renew(own);
  }

  #renew(own: Lease | undefined): Lease {
    if (this.native.isReadOnly) this.native.catchUp();
    // Then nothing is shared and nothing is kept, so that the end of a snapshot
    // is the end of its views.
    if (this.layout.strictViews) return this.#newLease(this.pins.pin(0));
    const previous = this.#current ?? this.#weakCurrent?.deref();
    if (previous !== undefined && !previous.window.isEmpty) {
      const word = this.#loadHeadWord(previous.window);
      const lease = word >= 0 ? previous : this.#advance(previous, own);
      this.#keepForThisTurn(lease);
      return lease;
    }
    const lease = this.#newLease(this.pins.pin(0));
    this.#keepForThisTurn(lease);
    return lease;
  }

  /** The window that follows that of `previous`, whose head has been sealed. */
  #advance(previous: Lease, own: Lease | undefined): Lease {
    const held = previous.window;
    const newer = this.pins.pin(held.head.sequence + 1);
    // A stray store can make an unsealed head look sealed, and copies look so always.
    if (newer.length === 0) return this.#newLease(held.copy());
    if (!this.#follows(held, newer)) return this.#newLease(newer);
    const lowest = newer[newer.length - 1]!.sequence - this.native.retainedSegments + 1;
    if (held.openCount === (previous === own ? 1 : 0)) {
      this.#append(held, newer);
      while (held.first.sequence < lowest) this.pins.drop(held.shift());
      return previous;
    }
    const kept = held.segments.slice(held.begin + Math.max(0, lowest - held.first.sequence));
    return this.#newLease(kept.concat(newer));
  }

  /**
   * Everything that `held` has and all that is newer; with a gap between them,
   * only what is newer. `seenWord` is the head's word. The snapshot whose lease
   * `own` is gives it up for the result, which may be the same.
   */
  extend(own: Lease): Lease {
    const held = own.window;
    if (this.native.isReadOnly) this.native.catchUp();
    this.#loadHeadWord(held);
    const newer = this.pins.pin(held.head.sequence + 1);
    if (newer.length > 0 && !this.#follows(held, newer)) return this.#newLease(newer);
    // What other snapshots have now, or the next one would begin with, stays as it is.
    const isShared = held.openCount > 1 || own === this.#current || own === this.#weakCurrent?.deref();
    if (newer.length === 0 || isShared) return this.#newLease(held.copy().concat(newer));
    this.#append(held, newer);
    return own;
  }

  /** Whether nothing is missing between the two; then the count of the held head is final, and known for certain. */
  #follows(held: Window, newer: readonly PinnedSegment[]): boolean {
    const { head } = held;
    const successor = newer[0]!;
    if (successor.sequence !== head.sequence + 1) return false;
    const count = successor.firstIndex - head.firstIndex;
    // A stray store of another process can have put the successor anywhere.
    if (count < 0 || count > this.segmentCapacity) return false;
    // A copy lacks the entries that were written over before it had them.
    if (this.native.isReadOnly && this.readable(this.#loadHeadWord(held)) < count) return false;
    head.count = count;
    head.isFinal = true;
    return true;
  }

  #append(window: Window, newer: readonly PinnedSegment[]): void {
    window.append(newer, this.storage.wordOf(newer[newer.length - 1]!.id));
    this.seenWord = window.head.count;
  }

  /** The word of the window's head, whose count it makes up to date. */
  #loadHeadWord(window: Window): number {
    const { head } = window;
    window.headWord = this.storage.wordOf(head.id);
    const word = Atomics.load(window.headWord, 0);
    // Other windows may hold the segment too, as one that has successors.
    if (!head.isFinal) head.count = this.readable(word);
    this.seenWord = word;
    return word;
  }

  /** Entries that may be read; a stray store can damage the word, so it is clamped. */
  readable(word: number): number {
    return Math.min(word & COUNT_MASK, this.segmentCapacity);
  }

  // --- Leases and their windows.

  #newLease(segments: PinnedSegment[]): Lease {
    let lease = this.#spareLeases.pop();
    if (lease === undefined) {
      lease = new Lease(new Window());
      collectedLeases.register(lease, { attendance: this.#attendance, what: lease.window }, lease);
    }
    lease.window.set(segments, this.storage.wordOf(segments[segments.length - 1]!.id));
    this.seenWord = lease.window.head.count;
    ++this.#attendance.liveWindows;
    return lease;
  }

  /** A snapshot of the lease begins. */
  open(lease: Lease): void {
    ++lease.window.openCount;
  }

  /** A snapshot of the lease ends. */
  close(lease: Lease): void {
    if (--lease.window.openCount > 0) return;
    if (lease !== this.#current) this.#release(lease);
    else this.#closeIfUnused();
  }

  #release(lease: Lease): void {
    const segments = lease.window.clear();
    for (let i = 0; i < segments.length; ++i) this.pins.drop(segments[i]!);
    if (this.#weakCurrent === lease.weak) this.#weakCurrent = undefined;
    if (this.#spareLeases.length < SPARE_LEASES_MAX) this.#spareLeases.push(lease);
    --this.#attendance.liveWindows;
    this.#closeIfUnused();
  }

  // --- The current window.

  #keepForThisTurn(lease: Lease): void {
    const previous = this.#current;
    this.#current = lease;
    if (previous !== undefined && previous !== lease && previous.window.openCount === 0)
      this.#release(previous);
    if (withIdleWindow.size === 0) queueMicrotask(endTurn);
    withIdleWindow.add(this);
  }

  /**
   * The microtasks have come, wherever the turn began: in a timer, too, after
   * which the loop may block. This keeps no process alive.
   */
  endTurn(): void {
    const lease = this.#current;
    this.#current = undefined;
    if (lease === undefined) return;
    if (lease.window.openCount === 0) {
      this.#release(lease);
    } else {
      lease.weak ??= new WeakRef(lease);
      this.#weakCurrent = lease.weak;
    }
  }

  /** Releases a window that no snapshot is open on, before the turn ends; whether there was one. */
  dropIdleWindow(): boolean {
    const lease = this.#current;
    if (lease === undefined || lease.window.openCount > 0) return false;
    this.#current = undefined;
    this.#release(lease);
    return true;
  }

  #closeIfUnused(): void {
    if (this.#attendance.users > 0) return;
    // Comes back here when it is done.
    if (this.dropIdleWindow()) return;
    if (this.#attendance.liveWindows > 0) return;
    withIdleWindow.delete(this);
    for (const spare of this.#spareLeases) collectedLeases.unregister(spare);
    this.#spareLeases.length = 0;
    this.#attendance.closeIfUnused();
  }
}
