/** AbortSignals that users give. */
import { invalidType } from './errors';
import type { Wait } from './waits';

/**
 * An AbortSignal, or undefined. Known by what it can do, and no more than is used:
 * other realms and older implementations have signals of their own.
 */
export function checkSignal(signal: unknown, what = 'options.signal'): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const { aborted, addEventListener, removeEventListener } = (signal ?? {}) as Partial<AbortSignal>;
  if (
    typeof aborted !== 'boolean' ||
    typeof addEventListener !== 'function' ||
    typeof removeEventListener !== 'function'
  )
    throw invalidType(what, 'an AbortSignal', signal);
  return signal as AbortSignal;
}

/** Throws the signal's reason once it has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw signal.reason;
}

/**
 * One listener per AbortSignal, however many followers and waits it ends: Node
 * warns of a leak when a signal gets more than ten.
 */
interface Listening {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const listenings = new WeakMap<AbortSignal, Listening>();

function listen(signal: AbortSignal): Listening {
  const callbacks = new Set<() => void>();
  const listener = (): void => {
    for (const callback of [...callbacks]) callback();
  };
  signal.addEventListener('abort', listener, { once: true });
  const listening = { callbacks, listener };
  listenings.set(signal, listening);
  return listening;
}

/**
 * Has `callback`, which must not throw, called when the signal aborts, unless the
 * returned function is called before. A signal that has aborted already calls nothing.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const { callbacks, listener } = listenings.get(signal) ?? listen(signal);
  // A function of its own, because the same one may be passed twice.
  const entry = (): void => callback();
  callbacks.add(entry);
  return () => {
    if (!callbacks.delete(entry) || callbacks.size > 0) return;
    listenings.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

/** Until the wait is over, which an abort ends too. */
export function waitUnlessAborted(wait: Wait, signal: AbortSignal | undefined): Promise<void> {
  return signal === undefined ? wait.done : wait.done.then(onAbort(signal, wait.cancel));
}
