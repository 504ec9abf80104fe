/** Moves a cursor after what has been acknowledged for long enough. */
import { codeOf } from '../base/errors';
import { clearTimeout, now, setTimeout } from '../base/timers';
import { pastOf, type WalPosition } from '../durable/wal/position';
import type { ForwardCursor } from './options';
import { SafeMarks, type SafeMark } from './safe-marks';

/** A forced checkpoint dropped the entry: there is nothing left to keep. */
const GONE = 'ERR_CHECKPOINTED';
/** A cursor may take it later, as it is. */
const LATER: ReadonlySet<unknown> = new Set(['ERR_NOT_DURABLE', 'ERR_LOCKED']);

/** Whether a cursor that refuses with this error may take the same position later. */
export function mayCommitLater(error: unknown): boolean {
  return LATER.has(codeOf(error));
}

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
  #isHeld = false;
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

  /**
   * From here on nothing is committed, and no commit is under way: the target is
   * asked what it has, and a commit of what it lost would let a checkpoint drop that.
   */
  async hold(): Promise<void> {
    this.#isHeld = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#commit;
  }

  /** The target has answered, and the cursor stands where it should. */
  release(): void {
    this.#isHeld = false;
    this.#schedule();
  }

  /** The target has no entries after this one any more: those that it had are not safe. Held. */
  lostAfter(lsn: number): void {
    this.#marks.dropAfter(lsn);
  }

  /** Moves the cursor back to where entries after `lsn` are kept. */
  async goBack(lsn: number, position: WalPosition): Promise<void> {
    await this.#cursor?.commit(position);
    this.#lsn = lsn;
  }

  /** Commits what is safe by now, and nothing after that. */
  async finish(): Promise<void> {
    this.#isFinished = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#commit;
    const safe = this.#isHeld ? undefined : this.#marks.take(now());
    if (safe !== undefined) await this.#tryMove(safe);
  }

  #schedule(): void {
    if (this.#isFinished || this.#isHeld || this.#timer !== undefined || this.#commit !== undefined) return;
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
    this.#commit = this.#tryMove(safe)
      .catch(this.#onFailure)
      .finally(() => {
        this.#commit = undefined;
        this.#committedAt = now();
        this.#schedule();
      });
  }

  async #tryMove({ lsn, position }: SafeMark): Promise<void> {
    try {
      await this.#cursor!.commit(position);
    } catch (error) {
      if (mayCommitLater(error)) return this.#marks.putBack({ lsn, position });
      if (codeOf(error) === GONE) return;
      throw error;
    }
    this.#lsn = lsn;
    await this.#onCommit(lsn);
  }
}
