/** Moves a cursor after what has been acknowledged for long enough. */
import { clearTimeout, now, setTimeout } from '../base/timers';
import { pastOf, type WalPosition } from '../durable/wal/position';
import type { ForwardCursor } from './options';
import { SafeMarks } from './safe-marks';

/** Commits cost syncs: as often at most. */
const INTERVAL_MS = 100;

/**
 * One commit at a time; the newest position that is safe comes next. Nothing here
 * keeps a process alive that would otherwise end.
 */
export class Committer {
  readonly #cursor: ForwardCursor | undefined;
  readonly #marks: SafeMarks;
  readonly #onCommit: (lsn: number) => unknown;
  readonly #onFailure: (error: unknown) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #commit: Promise<void> | undefined;
  #committedAt = -Infinity;
  #isFinished = false;
  #lsn: number;

  constructor(
    cursor: ForwardCursor | undefined,
    afterMs: number,
    onCommit: (lsn: number) => unknown,
    onFailure: (error: unknown) => void,
  ) {
    this.#cursor = cursor;
    this.#marks = new SafeMarks(afterMs);
    this.#onCommit = onCommit;
    this.#onFailure = onFailure;
    const position = cursor?.position;
    this.#lsn = position === undefined ? 0 : pastOf(position).lsn;
  }

  /** LSN of the last entry that was committed. */
  get lsn(): number {
    return this.#lsn;
  }

  acknowledged(lsn: number, position: WalPosition): void {
    if (this.#cursor === undefined) return;
    this.#marks.add(lsn, position, now());
    this.#schedule();
  }

  /** The target has no entries after this one any more: those that it had are not safe. */
  async lostAfter(lsn: number, position: WalPosition | undefined): Promise<void> {
    this.#marks.dropAfter(lsn);
    await this.#commit;
    // What it lost must not be checkpointed before it is there again.
    if (this.#cursor !== undefined && position !== undefined && this.#lsn > lsn)
      await this.#move(lsn, position);
  }

  /** Commits what is safe by now, and nothing after that. */
  async finish(): Promise<void> {
    this.#isFinished = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#commit;
    const safe = this.#marks.take(now());
    if (safe !== undefined) await this.#move(safe.lsn, safe.position);
  }

  #schedule(): void {
    if (this.#isFinished || this.#timer !== undefined || this.#commit !== undefined) return;
    const at = now();
    const due = this.#marks.dueIn(at);
    if (due === undefined) return;
    this.#timer = setTimeout(() => this.#due(), Math.max(due, this.#committedAt + INTERVAL_MS - at));
    this.#timer.unref();
  }

  #due(): void {
    this.#timer = undefined;
    const safe = this.#marks.take(now());
    if (safe === undefined) return this.#schedule();
    this.#commit = this.#move(safe.lsn, safe.position)
      .catch(this.#onFailure)
      .finally(() => {
        this.#commit = undefined;
        this.#committedAt = now();
        this.#schedule();
      });
  }

  async #move(lsn: number, position: WalPosition): Promise<void> {
    await this.#cursor!.commit(position);
    this.#lsn = lsn;
    await this.#onCommit(lsn);
  }
}
