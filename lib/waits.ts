/**
 * Waiting for a log without blocking: promises that native threads resolve, by
 * way of one coalesced call per environment.
 */
import type { NativeLog } from '../types/native';
import { addon } from './native';

/** What to do when the waiter with this id is woken. */
const woken = new Map<number, () => void>();
let lastId = 0;
let isStarted = false;

function dispatch(ids: number[]): void {
  for (const id of ids) woken.get(id)?.();
}

/** A wait that can be given up. */
export interface Wait {
  /** Resolves when woken or cancelled. */
  readonly done: Promise<void>;
  cancel(): void;
}

function wait(native: NativeLog, register: (id: number) => boolean): Wait | undefined {
  if (!isStarted) {
    isStarted = true;
    addon.startWaker(dispatch);
  }
  const id = (lastId = (lastId + 1) % 2 ** 32);
  if (!register(id)) return undefined;
  let resolve!: () => void;
  const done = new Promise<void>((settle) => (resolve = settle));
  const finish = (): void => {
    if (!woken.delete(id)) return;
    // Somebody who waits wants to be there when it happens; nobody else keeps
    // the event loop alive.
    if (woken.size === 0) addon.referenceWaker(false);
    native.cancelWait(id);
    resolve();
  };
  if (woken.size === 0) addon.referenceWaker(true);
  woken.set(id, finish);
  return { done, cancel: finish };
}

/** Until entry `index` can be read or the log has ended; undefined when that is so already. */
export function waitForIndex(native: NativeLog, index: number): Wait | undefined {
  return wait(native, (id) => native.waitForIndex(id, index));
}

/** Until the claim is free or the log has ended; undefined when that is so already. */
export function waitForClaim(native: NativeLog): Wait | undefined {
  return wait(native, (id) => native.waitForClaim(id));
}
