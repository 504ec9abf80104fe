/** What a follower of a write-ahead log delivers, whether its writer or a reader is followed; its turns are in base/follow-loop.ts. */
import { FILES_AFTER_FIELDS, FilesAfterField } from '../../base/codes';
import { checkSignal } from '../../base/abort';
import { optionsOf } from '../../base/checks';
import type { Followed } from '../../base/dispose';
import { FollowLoop, type FollowSource, type Pending } from '../../base/follow-loop';
import type { Wait } from '../../base/waits';
import type { WalEntry } from './entries';
import { cutOff, takenBack } from './errors';
import { checkFrom, pastOf, type Past, type WalPosition } from './position';

/** Where a follower of a write-ahead log begins, and when it ends. */
export interface WalFollowOptions {
  /**
   * Where to begin: `'oldest'` (default); `'latest'`, for what comes after this
   * call; an LSN, which may lie in the future, and all before it counts as
   * delivered; or the position of an entry, for what comes after that one.
   */
  from?: 'oldest' | 'latest' | number | WalPosition | undefined;
  /** Ends the iteration: it rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface FollowBounds {
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** Changes when a file is added. */
  readonly version: number;
  /** How often entries were taken back that were seen before they were proved to be on disk, and from where. */
  readonly takebacks?: number;
  readonly takenBackFrom?: number;
}

/** The log that a follower reads, by its writer or by a reader. */
export interface FollowedLog {
  /** Its followers that wait. */
  readonly pending: Set<Pending>;
  isClosed(): boolean;
  bounds(): FollowBounds;
  /** NativeWalEntries.filesAfter */
  filesAfter(file: number, into: Float64Array): void;
  /** Throws when the entry is not there any more. */
  check(past: Past): void;
  read(from: number, to: number): WalEntry[];
  /** Until there may be more. */
  wait(): Wait;
}

/** What `follow()` returns. */
export function followLog(log: FollowedLog, options: unknown): Followed<WalEntry[]> {
  const { from = 'oldest', signal } = optionsOf('options', options, ['from', 'signal']);
  const checkedSignal = checkSignal(signal);
  return new FollowLoop(new EntriesSource(log, from), checkedSignal);
}

/** What a follower of a log delivers: entries without gap or repetition, none that was taken back. */
class EntriesSource implements FollowSource<WalEntry[]> {
  readonly #log: FollowedLog;
  readonly pending: Set<Pending>;
  /** LSN of the next entry to deliver. */
  #next: number;
  /** After the last one that the consumer has, delivered here or known before; 0: none. */
  #delivered: number;
  /** The position to begin at, until it was looked for. */
  #from: Past | undefined;
  /** The last entry that was delivered. */
  #last: WalEntry | undefined;
  readonly #files = new Float64Array(FILES_AFTER_FIELDS);
  /** What is known of the files: the version, and the newest one. */
  #version: number;
  #file: number;
  /** What the consumer knows ends before this LSN: what was delivered, or what lies before where it began. */
  #known: number;
  #takebacks: number;

  constructor(log: FollowedLog, from: unknown) {
    this.#log = log;
    this.pending = log.pending;
    const isName = from === 'oldest' || from === 'latest';
    const given = isName ? 0 : checkFrom('options.from', from, 1, "'oldest', 'latest', ");
    this.#from = typeof given === 'object' ? given : undefined;
    const lsn = typeof given === 'object' ? given.lsn + 1 : given;
    const { firstLsn, lastLsn, version, takebacks = 0 } = log.bounds();
    this.#next = isName ? (from === 'oldest' ? firstLsn : lastLsn + 1) : lsn;
    this.#known = from === 'oldest' ? 0 : Math.min(this.#next, lastLsn + 1);
    this.#takebacks = takebacks;
    this.#version = version;
    this.#delivered = from === 'oldest' ? 0 : this.#next;
    this.#file = this.#filesAfter(0).newest;
  }

  isClosed(): boolean {
    return this.#log.isClosed();
  }

  take(): WalEntry[] | undefined {
    const bounds = this.#log.bounds();
    if (this.#from !== undefined) this.#log.check(this.#from);
    this.#from = undefined;
    this.#checkTakebacks(bounds);
    if (bounds.version !== this.#version) this.#checkTruncation(bounds.version);
    if (this.#next > bounds.lastLsn) return undefined;
    const entries = this.#log.read(this.#next, bounds.lastLsn);
    if (entries.length === 0) return undefined;
    this.#last = entries.at(-1)!;
    this.#next = this.#delivered = this.#known = this.#last.lsn + 1;
    return entries;
  }

  wait(): Wait {
    return this.#log.wait();
  }

  /** What was seen before it was proved to be on disk may be lost. */
  #checkTakebacks({ takebacks = 0, takenBackFrom = 0 }: FollowBounds): void {
    if (takebacks === this.#takebacks) return;
    this.#takebacks = takebacks;
    if (takenBackFrom < this.#known) throw takenBack(takenBackFrom);
  }

  #filesAfter(file: number): { base: number; newest: number; oldest: number } {
    this.#log.filesAfter(file, this.#files);
    return {
      base: this.#files[FilesAfterField.baseLsn]!,
      newest: this.#files[FilesAfterField.newest]!,
      oldest: this.#files[FilesAfterField.oldest]!,
    };
  }

  /** What was delivered may have been taken back: then a newer file begins below it. */
  #checkTruncation(version: number): void {
    const { base, newest, oldest } = this.#filesAfter(this.#file);
    if (base < this.#delivered) throw cutOff(base);
    // A checkpoint dropped files that were never seen, and what they would say.
    if (this.#file < oldest && this.#last !== undefined) this.#log.check(pastOf(this.#last.position));
    this.#file = newest;
    this.#version = version;
  }
}
