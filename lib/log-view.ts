/**
 * One environment's access to one log, shared by all its AtomicLog objects,
 * snapshots and writers. It decides which window a new snapshot shares.
 */
import type { NativeLog } from '../types/native';
import { COUNT_MASK } from './mapping';
import { Pins } from './pins';
import type { Layout } from './schema';
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
  readonly layout: Layout;
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

  private constructor(readonly native: NativeLog) {
    this.pins = new Pins(native);
    this.layout = this.pins.layout;
    this.segmentCapacity = native.segmentCapacity;
  }

  /** The view of a log in this environment. `native` is closed again when there is a view already. */
  static of(native: NativeLog): LogView {
    const known = viewsById.get(native.id)?.deref();
    if (known !== undefined) {
      native.close();
      return known;
    }
    const view = new LogView(native);
    if (viewsById.size >= sweepViewsAt) sweepViews();
    viewsById.set(native.id, view.#weakThis);
    return view;
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
    head.count = this.readable(word);
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

  #closeIfUnused(): void {
    if (this.#users > 0 || this.#isClosed) return;
    const lease = this.#current;
    if (lease !== undefined && lease.window.openCount === 0) {
      this.#current = undefined;
      this.#release(lease);
      return;
    }
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
  return true;
}
