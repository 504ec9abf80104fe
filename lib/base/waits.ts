/**
 * Waiting without blocking: for native threads, whose promises and listeners are
 * woken by way of one coalesced call per environment; and for a time.
 */
import { addon } from './native';
import { clearTimeout, setTimeout } from './timers';

/** What one can wait for; each function returns false when there is nothing to wait for. */
interface Source {
  waitForIndex(id: number, index: number): boolean;
  waitForClaim(id: number): boolean;
  cancelWait(id: number): void;
}

interface Waits {
  /** What to do when the waiter with this id is woken. */
  readonly woken: Map<number, () => void>;
  lastId: number;
  /** Those that want to be there when it happens. */
  holds: number;
}

/** Kept by the addon, so that two copies of this module over one addon share it. */
const waits = ((addon as { waits?: Waits }).waits ??= start());
const { woken } = waits;

function start(): Waits {
  const started: Waits = { woken: new Map(), lastId: 0, holds: 0 };
  addon.startWaker((ids) => {
    for (const id of ids) started.woken.get(id)?.();
  });
  return started;
}

/** Only a wait keeps the event loop alive. */
function hold(): void {
  if (waits.holds++ === 0) addon.referenceWaker(true);
}

function release(): void {
  if (--waits.holds === 0) addon.referenceWaker(false);
}

function nextId(): number {
  return (waits.lastId = (waits.lastId + 1) % 2 ** 32);
}

/** A wait that can be given up. */
export interface Wait {
  /** Resolves when woken or cancelled. */
  readonly done: Promise<void>;
  cancel(): void;
}

/** A wait that only `cancel()` ends; `onEnd` is called then, each time. */
export function waitForCancel(onEnd: () => void): Wait {
  let resolve!: () => void;
  const done = new Promise<void>((settle) => (resolve = settle));
  const cancel = (): void => {
    onEnd();
    resolve();
  };
  return { done, cancel };
}

/** Until so many milliseconds are over; keeps the event loop alive. */
export function waitForTime(ms: number): Wait {
  const wait = waitForCancel(() => clearTimeout(timer));
  const timer = setTimeout(wait.cancel, ms);
  return wait;
}

/** Until the first of them ends; the others are cancelled then. */
export function waitForFirst(...each: readonly Wait[]): Wait {
  const cancel = (): void => {
    for (const one of each) one.cancel();
  };
  return { done: Promise.race(each.map(({ done }) => done)).then(cancel), cancel };
}

function wait(native: Source, register: (id: number) => boolean): Wait | undefined {
  const id = nextId();
  if (!register(id)) return undefined;
  const begun = waitForCancel(() => {
    if (!woken.delete(id)) return;
    release();
    native.cancelWait(id);
  });
  hold();
  woken.set(id, begun.cancel);
  return begun;
}

/** Until entry `index` can be read or the log has ended; undefined when that is so already. */
export function waitForIndex(native: Source, index: number): Wait | undefined {
  return wait(native, (id) => native.waitForIndex(id, index));
}

/** What comes first of {@link waitForIndex} and {@link waitForClaim}. */
export function waitForIndexOrClaim(native: Source, index: number): Wait | undefined {
  const entry = waitForIndex(native, index);
  if (entry === undefined) return undefined;
  let claim: Wait | undefined;
  try {
    claim = waitForClaim(native);
  } finally {
    if (claim === undefined) entry.cancel();
  }
  return claim && waitForFirst(entry, claim);
}

/** Until the claim is free or the log has ended; undefined when that is so already. */
export function waitForClaim(native: Source): Wait | undefined {
  return wait(native, (id) => native.waitForClaim(id));
}

/** Is called whenever its id is woken, which happens once for many calls of a native thread. */
export class Listener {
  readonly id = nextId();
  #isHolding = false;

  constructor(onWake: () => void) {
    woken.set(this.id, onWake);
  }

  /** Whether the event loop stays alive until the next call. */
  set isHolding(isHolding: boolean) {
    if (isHolding === this.#isHolding) return;
    this.#isHolding = isHolding;
    if (isHolding) hold();
    else release();
  }

  remove(): void {
    this.isHolding = false;
    woken.delete(this.id);
  }
}
