/**
 * Waiting for a log without blocking: promises that native threads resolve, by
 * way of one coalesced call per environment.
 */
import type { NativeLog } from '../types/native';
import { addon } from './native';

interface Waits {
  /** What to do when the waiter with this id is woken. */
  readonly woken: Map<number, () => void>;
  lastId: number;
}

/** Kept by the addon, so that two copies of this module over one addon share it. */
const waits = ((addon as { waits?: Waits }).waits ??= start());
const { woken } = waits;

function start(): Waits {
  const started: Waits = { woken: new Map(), lastId: 0 };
  addon.startWaker((ids) => {
    for (const id of ids) started.woken.get(id)?.();
  });
  return started;
}

/** A wait that can be given up. */
export interface Wait {
  /** Resolves when woken or cancelled. */
  readonly done: Promise<void>;
  cancel(): void;
}

function wait(native: NativeLog, register: (id: number) => boolean): Wait | undefined {
  const id = (waits.lastId = (waits.lastId + 1) % 2 ** 32);
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
