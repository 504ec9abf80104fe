/**
 * One environment's access to one log, shared by all its AtomicLog objects,
 * snapshots and writers. It decides which window a new snapshot shares.
 */
import type { NativeLog } from '../types/native';
import { plainError, typeError } from './errors';
import type { NativeHandle } from './handle';
import { COUNT_MASK } from './mapping';
import { Pins } from './pins';
import type { Layout } from './schema';
import { Storage } from './storage';
import { setImmediate } from './timers';
import { Lease, Window, type PinnedSegment } from './window';

const SPARE_LEASES_MAX = 4;

interface CollectedLease {
  readonly window: Window;
  readonly pins: Pins;
  /** Weak: a view refers to its leases, which would then never be collected. */
  readonly view: WeakRef<LogView>;
}

/** Told when a lease is collected. Module-wide, because it must outlive every view. */
const collectedLeases = new FinalizationRegistry<CollectedLease>(({ window, pins, view }) => {
  if (window.isEmpty) return;
  pins.abandon(window);
  view.deref()?.windowAbandoned();
});

/** Told when a user of a view is collected that was not closed. */
const collectedUsers = new FinalizationRegistry<WeakRef<LogView>>((view) => view.deref()?.userCollected());

const viewsById = new Map<number, WeakRef<LogView>>();
let sweepViewsAt = 64;

function sweepViews(): void {
  for (const [id, view] of viewsById) if (view.deref() === undefined) viewsById.delete(id);
  sweepViewsAt = viewsById.size * 2 + 64;
}

export class LogView {
  readonly storage: Storage;
  readonly pins: Pins;
  /** Also here, because properties of the addon's objects are slow: V8 holds them in dictionaries. */
  readonly segmentCapacity: number;
  /** The head's published word, as {@link lease} and {@link extend} saw it last. */
  seenWord = 0;

  /** AtomicLog objects and writers of this environment that are open. */
  #users = 0;
  #liveWindows = 0;
  #isClosed = false;
  /** The newest window, kept for the rest of the turn so that the next snapshot need not pin it again. */
  #current: Lease | undefined;
  #weakCurrent: WeakRef<Lease> | undefined;
  #isTurnEndScheduled = false;
  readonly #bounds = new Float64Array(2);
  readonly #weakThis = new WeakRef<LogView>(this);
  readonly #spareLeases: Lease[] = [];
  #nativeHandle: NativeHandle | null = null;

  private constructor(
    readonly native: NativeLog,
    readonly layout: Layout,
    memory: SharedArrayBuffer | undefined,
  ) {
    this.storage = new Storage(native, layout, memory);
    this.pins = new Pins(native, layout, this.storage);
    this.segmentCapacity = native.segmentCapacity;
  }

  /**
   * The view of a log in this environment. When there is a view already, `native`
   * is closed again, and the view keeps the layout, and so the codec, that it has.
   * `memory` is the log's storage when that is shared.
   */
  static of(native: NativeLog, layout: Layout, memory: SharedArrayBuffer | undefined): LogView {
    const known = viewsById.get(native.id)?.deref();
    if (known !== undefined) {
      native.close();
      return known;
    }
    const view = new LogView(native, layout, memory);
    if (viewsById.size >= sweepViewsAt) sweepViews();
    viewsById.set(native.id, view.#weakThis);
    return view;
  }

  /** For native code; always the same object, because it names nothing but the log. */
  nativeHandle(): NativeHandle {
    if (this.layout.dataBytes > 0) {
      throw typeError('ERR_VARIABLE_SIZE', 'native threads can use logs of entries of fixed size only');
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

  /** [firstIndex, endIndex] of the window as it is now; overwritten by the next call. */
  bounds(): Float64Array {
    this.native.bounds(this.#bounds);
    return this.#bounds;
  }

  /** `user` needs the view until it calls dropUser or is collected. */
  addUser(user: object): void {
    ++this.#users;
    collectedUsers.register(user, this.#weakThis, user);
  }

  dropUser(user: object): void {
    collectedUsers.unregister(user);
    this.userCollected();
  }

  /** A user has gone, one way or the other. */
  userCollected(): void {
    --this.#users;
    this.#closeIfUnused();
  }

  /**
   * A lease of the window as it is now; `seenWord` is its head's word. O(1)
   * while the head has not been sealed.
   */
  lease(): Lease {
    const lease = this.#current;
    if (lease !== undefined) {
      const { headWord } = lease.window;
      if (headWord.length !== 0) {
        this.seenWord = Atomics.load(headWord, 0);
        if (this.seenWord >= 0) return lease;
      }
    }
    return this.#renew();
  }

  #renew(): Lease {
    // Then nothing is shared and nothing is kept, so that the end of a snapshot
    // is the end of its views.
    if (this.layout.strictViews) return this.#newLease(this.pins.pin(0));
    const previous = this.#current ?? this.#weakCurrent?.deref();
    if (previous !== undefined && !previous.window.isEmpty) {
      const word = this.#loadHeadWord(previous.window);
      const lease = word >= 0 ? previous : this.#advance(previous.window);
      this.#keepForThisTurn(lease);
      return lease;
    }
    const lease = this.#newLease(this.pins.pin(0));
    this.#keepForThisTurn(lease);
    return lease;
  }

  /** The window that follows `held`, whose head has been sealed. */
  #advance(held: Window): Lease {
    const newer = this.pins.pin(held.head.sequence + 1);
    // A stray store can make an unsealed head look sealed.
    if (newer.length === 0) return this.#newLease(held.segments);
    if (!follows(held, newer)) return this.#newLease(newer);
    const lowest = newer[newer.length - 1]!.sequence - this.native.retainedSegments + 1;
    const kept = held.segments.slice(Math.max(0, lowest - held.segments[0]!.sequence));
    return this.#newLease(kept.concat(newer));
  }

  /**
   * Everything that `held` has and all that is newer; with a gap between them,
   * only what is newer. `seenWord` is the head's word.
   */
  extend(held: Window): Lease {
    this.#loadHeadWord(held);
    const newer = this.pins.pin(held.head.sequence + 1);
    const isContiguous = newer.length === 0 || follows(held, newer);
    return this.#newLease(isContiguous ? held.segments.concat(newer) : newer);
  }

  /** The word of the window's head, whose count it makes up to date. */
  #loadHeadWord(window: Window): number {
    const { head } = window;
    window.headWord = this.pins.attached(head).word;
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

  #newLease(segments: readonly PinnedSegment[]): Lease {
    let lease = this.#spareLeases.pop();
    if (lease === undefined) {
      lease = new Lease(new Window());
      collectedLeases.register(
        lease,
        {
          window: lease.window,
          pins: this.pins,
          view: this.#weakThis,
        },
        lease,
      );
    }
    lease.window.set(segments);
    this.seenWord = lease.window.head.count;
    ++this.#liveWindows;
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
    else if (this.#users === 0) this.#closeIfUnused();
  }

  /** The snapshots of a window were collected without having been closed. */
  windowAbandoned(): void {
    --this.#liveWindows;
    this.#closeIfUnused();
  }

  #release(lease: Lease): void {
    const segments = lease.window.clear();
    for (let i = 0; i < segments.length; ++i) this.pins.drop(segments[i]!);
    if (this.#weakCurrent === lease.weak) this.#weakCurrent = undefined;
    if (this.#spareLeases.length < SPARE_LEASES_MAX) this.#spareLeases.push(lease);
    --this.#liveWindows;
    if (this.#users === 0) this.#closeIfUnused();
  }

  // --- The current window.

  #keepForThisTurn(lease: Lease): void {
    const previous = this.#current;
    this.#current = lease;
    if (previous !== undefined && previous !== lease && previous.window.openCount === 0)
      this.#release(previous);
    if (this.#isTurnEndScheduled) return;
    this.#isTurnEndScheduled = true;
    // The callback must keep neither the process nor a dropped view alive.
    const weakThis = this.#weakThis;
    setImmediate(() => {
      const view = weakThis.deref();
      if (view !== undefined) view.#endTurn();
    }).unref();
  }

  #endTurn(): void {
    this.#isTurnEndScheduled = false;
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

  /** Lets go of a window that no snapshot is open on, before the turn ends; whether there was one. */
  dropIdleWindow(): boolean {
    const lease = this.#current;
    if (lease === undefined || lease.window.openCount > 0) return false;
    this.#current = undefined;
    this.#release(lease);
    return true;
  }

  #closeIfUnused(): void {
    if (this.#users > 0 || this.#isClosed) return;
    // Comes back here when it is done.
    if (this.dropIdleWindow()) return;
    if (this.#liveWindows > 0) return;
    this.#isClosed = true;
    viewsById.delete(this.native.id);
    for (const spare of this.#spareLeases) collectedLeases.unregister(spare);
    this.#spareLeases.length = 0;
    this.pins.close();
  }
}

/** Whether nothing is missing between the two; then the count of the held head is final, and known for certain. */
function follows(held: Window, newer: readonly PinnedSegment[]): boolean {
  const { head } = held;
  const successor = newer[0]!;
  if (successor.sequence !== head.sequence + 1) return false;
  head.count = successor.firstIndex - head.firstIndex;
  head.isFinal = true;
  return true;
}
