/** What is done again after a failure: who is told of it, and the pause before it. */
import { throwIfAborted, waitUnlessAborted } from '../base/abort';
import { invalidType } from '../base/errors';
import { waitForTime } from '../base/waits';

/** What is done after a failure that is tried again. */
export interface Retry {
  /** Failures in a row, 1 at first: since an entry was acknowledged, or since the stream could be read. */
  readonly attempt: number;
  /** Until it tries again. */
  readonly delayMs: number;
}

export type OnRetry = (error: unknown, retry: Retry) => void;

export function checkCallback<T>(what: string, value: unknown): T | undefined {
  if (value !== undefined && typeof value !== 'function') throw invalidType(what, 'a function', value);
  return value as T | undefined;
}

/** The pauses of a reader, each of the same length. */
export class Retries {
  readonly #delayMs: number;
  readonly #onRetry: OnRetry | undefined;
  readonly #signal: AbortSignal | undefined;
  #attempt = 0;
  /** What the callback has rejected with. */
  #refusal: { readonly error: unknown } | undefined;

  constructor(delayMs: number, onRetry: OnRetry | undefined, signal: AbortSignal | undefined) {
    this.#delayMs = delayMs;
    this.#onRetry = onRetry;
    this.#signal = signal;
  }

  /** The next failure is the first one. */
  succeeded(): void {
    this.#attempt = 0;
  }

  /** Throws what ends the reader: the reason of its signal, what the callback has rejected with. */
  throwIfOver(): void {
    throwIfAborted(this.#signal);
    if (this.#refusal !== undefined) throw this.#refusal.error;
  }

  /** Waits after a failure; throws as that, and what the callback throws. */
  async pause(error: unknown): Promise<void> {
    const delayMs = this.#delayMs;
    const attempt = ++this.#attempt;
    const told: unknown = this.#onRetry?.(error, { attempt, delayMs });
    const wait = waitForTime(delayMs);
    if (told instanceof Promise)
      told.catch((why: unknown) => {
        this.#refusal ??= { error: why };
        wait.cancel();
      });
    await waitUnlessAborted(wait, this.#signal);
    this.throwIfOver();
  }
}
