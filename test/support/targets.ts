// Targets of forward() in memory, whose failures a test chooses.
import type { ForwardTarget, TargetPosition, WalEntry, WalPosition } from 'atomic-log';

/** What happens to a call of send(). */
export type Outcome =
  /** Stored and acknowledged. */
  | 'stored'
  /** Refused: nothing is stored. */
  | 'refused'
  /** Stored, and the acknowledgement is lost. */
  | 'unheard'
  /** The first half is stored, then it fails. */
  | 'half'
  /** It fails, and arrives when the next call is made. */
  | 'late';

export interface Stored {
  readonly lsn: number;
  readonly data: Buffer;
  readonly position: WalPosition;
}

/** Stores what comes next, as a server with a guard does; each call may be given another outcome. */
export class MemoryTarget implements ForwardTarget {
  stored: Stored[] = [];
  /** Of the calls of send() to come; then all are stored. */
  readonly outcomes: Outcome[] = [];
  /** Of the calls of position() to come: how many entries are lost before it answers, or that it fails. */
  readonly answers: (number | 'fails')[] = [];
  readonly begins: number[] = [];
  readonly sent: number[][] = [];
  underWay = 0;
  underWayMax = 0;
  #late: (readonly WalEntry[])[] = [];

  get lastLsn(): number {
    return this.stored.at(-1)?.lsn ?? 0;
  }

  async position(): Promise<TargetPosition | undefined> {
    await this.#turn();
    this.#arrive();
    const answer = this.answers.shift() ?? 0;
    if (answer === 'fails') throw new Error('no answer');
    if (answer > 0) this.stored.splice(-answer);
    const last = this.stored.at(-1);
    return last && { lsn: last.lsn, check: last.lsn % 2 === 0 ? last.position : last.data };
  }

  begin(lsn: number): Promise<void> {
    this.begins.push(lsn);
    return Promise.resolve();
  }

  async send(entries: readonly WalEntry[]): Promise<void> {
    this.sent.push(entries.map(({ lsn }) => lsn));
    this.underWayMax = Math.max(this.underWayMax, ++this.underWay);
    const outcome = this.outcomes.shift() ?? 'stored';
    try {
      this.#arrive();
      if (outcome === 'late') this.#late.push(entries);
      if (outcome === 'half') this.#store(entries.slice(0, entries.length >> 1));
      if (outcome === 'stored' || outcome === 'unheard') this.#store(entries);
      await this.#turn();
      if (outcome !== 'stored') throw new Error(`send: ${outcome}`);
    } finally {
      --this.underWay;
    }
  }

  #arrive(): void {
    for (const entries of this.#late.splice(0)) {
      try {
        this.#store(entries);
      } catch {
        // The guard has refused it.
      }
    }
  }

  /** All of them, or none. */
  #store(entries: readonly WalEntry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const next = this.stored.length === 0 ? (this.begins.at(-1) ?? 1) : this.lastLsn + 1;
    if (first.lsn !== next) throw new Error(`the next entry is ${next}, not ${first.lsn}`);
    for (const { lsn, data, position } of entries)
      this.stored.push({ lsn, data: Buffer.from(data), position });
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

/** A cursor that remembers its commits. */
export class MemoryCursor {
  position: WalPosition | undefined;
  readonly commits: number[] = [];

  commit(position: WalPosition): Promise<void> {
    this.position = position;
    this.commits.push(Number(position.split(':')[0]));
    return Promise.resolve();
  }
}
