/**
 * Changes of what was appended to a segment file, without blocking.
 *
 * 1. They are made one after the other, in the order of the calls, and after the
 *    syncs that were called before.
 * 2. From the call on until the last one is done nothing is appended: no one knows
 *    where the log ends. sync() and close() wait for it.
 */
import { Outcome } from '../../base/codes';
import type { AppendBuffer } from './append-buffer';
import { writerClosed } from '../errors';

/** What is asked of the writer. */
export interface ChangedWriter {
  readonly buffer: AppendBuffer;
  /** Syncs that are under way; they do not reject here. */
  readonly syncs: Iterable<Promise<unknown>>;
  isReleased(): boolean;
}

export class Changes {
  readonly #writer: ChangedWriter;
  #last: Promise<unknown> = Promise.resolve();
  #count = 0;

  constructor(writer: ChangedWriter) {
    this.#writer = writer;
  }

  get isBusy(): boolean {
    return this.#count > 0;
  }

  /** Resolves when none is under way that was called by then, or meanwhile. */
  async idle(): Promise<void> {
    while (this.isBusy) await this.#last;
  }

  /** `change` resolves with an outcome of the addon, or with undefined for nothing to do: whether it was made. */
  run(change: () => Promise<number> | undefined): Promise<boolean> {
    const { buffer } = this.#writer;
    if (this.isBusy) buffer.checkNotClosed();
    else buffer.drain();
    ++this.#count;
    buffer.isHeld = true;
    const done = this.#run(this.#last, change);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** What gives the new header may close the writer. */
  #begin(change: () => Promise<number> | undefined): Promise<number> | undefined {
    try {
      return change();
    } catch (error) {
      throw this.#writer.isReleased() ? writerClosed() : error;
    }
  }

  async #run(before: Promise<unknown>, change: () => Promise<number> | undefined): Promise<boolean> {
    const writer = this.#writer;
    try {
      await before;
      await Promise.allSettled(writer.syncs);
      if (writer.isReleased()) throw writerClosed();
      const outcome = await this.#begin(change);
      if (outcome === undefined) return false;
      // Closed before it was begun.
      if (-outcome === (Outcome.closed as number)) throw writerClosed();
      writer.buffer.check(outcome);
      return true;
    } finally {
      if (--this.#count === 0) writer.buffer.isHeld = false;
      if (!writer.isReleased()) writer.buffer.moved();
    }
  }
}
