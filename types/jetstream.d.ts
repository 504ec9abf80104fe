// Generated from lib/ by "npm run build:types". Do not edit.
/// <reference lib="esnext.disposable" />

declare global {
  interface AbortSignal {}
}
type Buffer = typeof globalThis extends { Buffer: { alloc(size: number): infer B } } ? B : Uint8Array;

type Durability = 'full' | 'os' | 'none';
interface CommitPolicy {
  /** Microseconds to wait for more. Default: 0. */
  waitUs?: number;
  /** Entries that end the wait. */
  count?: number;
  /** Bytes that end the wait. */
  bytes?: number;
}
interface WalFile {
  readonly path: string;
  readonly number: number;
  /** LSN of its first entry. */
  readonly firstLsn: number;
  /** LSN of its last entry; `firstLsn - 1` when it has none. */
  readonly lastLsn: number;
  readonly bytes: number;
}
interface WalOptions {
  /** Bytes of each file that is made. Default: those of the log's files, and 64 MiB for a new log. */
  segmentBytes?: number;
  /** Entries may have so many bytes. Default: what a file takes, but 16 MiB at most. */
  entryBytesMax?: number;
  /** When appends are acknowledged. Default: `'full'`. */
  durability?: Durability;
  commit?: CommitPolicy;
  /** When appends of more bytes are under way, the next one commits them before it returns. Default: 64 MiB. */
  bytesInFlightMax?: number;
  /** LSN of the first entry of a log that is created. Default: 1. */
  firstLsn?: number;
  /** Up to 3988 bytes of your own, kept in a log that is created. */
  metadata?: Uint8Array;
  /**
   * Drop the oldest files, a file at a time, while all together use more
   * bytes than this: counted up to the end of what was written to each, not by
   * its length. The newest file stays, and so does what a cursor still needs. They are
   * dropped off this thread, in the order of the calls; in a long synchronous run on it.
   */
  retainBytes?: number;
  /** Refuse a log with a torn last record, instead of quarantining it. */
  strictTail?: boolean;
  /** Read the records of all files, not of the newest only; as many files at a time as there are cores. */
  verifyOnOpen?: boolean;
  /**
   * A file is complete and will not change again; to archive it, for example. It
   * is called for each file once, oldest first, soon after the call that completed
   * it and before {@link Wal.close} resolves; and after opening for every file that
   * is there already, because the process that completed it may have been killed
   * before it could say so. No file is deleted before it was announced.
   *
   * It is not waited for when it returns a promise. When it throws, the file
   * stays, and it is called again when the next one is complete; {@link onError}
   * is told.
   */
  onSegmentSealed?: (file: WalFile) => void;
  /**
   * A checkpoint is about to delete the file. When this throws, nothing is
   * deleted, and it may be called for the same file again: {@link Wal.checkpoint}
   * rejects with what it throws; of `retainBytes`, {@link onError} is told, and it is
   * tried again with the next file.
   */
  beforeDelete?: (file: WalFile) => void;
  /**
   * A hook has thrown, or a checkpoint for `retainBytes` has failed, where no call
   * of yours could tell; files are kept that would have gone. Default: one warning
   * of the process for the log.
   *
   * All three run in the AsyncLocalStorage context of the call that opened the log.
   */
  onError?: (error: unknown, file: WalFile) => void;
  /**
   * Of `open()` alone, not of `openSync()`: wait while another writer has the log, as the process before this one may at a
   * restart, instead of `ERR_LOCKED`. Looks every 25 ms, and keeps the process alive meanwhile. Default: false.
   */
  wait?: boolean;
  /** With `wait: true`: ends the waiting, as `AbortSignal.timeout(30_000)` does. What is being opened by then is opened. */
  signal?: AbortSignal;
}
/**
 * Names an entry together with its past: a string to be saved and given back as
 * `from`, where reading goes on after that entry. Equal strings name the same
 * entry after the same entries, also in copies of the log; an LSN alone does
 * not, because `truncateAfter()`, a crash or a restored backup can give it to
 * another entry.
 */
export type WalPosition = string & Record<never, never>;
/** One entry of a log. */
export interface WalEntry {
  /** Its log sequence number. */
  readonly lsn: number;
  /** What was appended. Entries that were read together share memory: copy one that is kept for long. */
  readonly data: Buffer;
  /** The batch it was appended in: the first LSN, and how many entries; `truncateAfter()` may have left only the first of them. */
  readonly batch?: {
    readonly first: number;
    readonly count: number;
  };
  /**
   * Names this entry and its past: save it, and give it back as `from` to go on
   * after it. It is made when it is asked for, so neither `{ ...entry }` nor
   * `JSON.stringify(entry)` has it: copy it by name.
   */
  readonly position: WalPosition;
}
/** What is done after a failure that is tried again. */
export interface Retry {
  /** Failures in a row, 1 at first: since an entry was acknowledged, or since the stream could be read. */
  readonly attempt: number;
  /** Until it tries again. */
  readonly delayMs: number;
}
/** The last entry that a target has. */
export interface TargetPosition {
  /** Its LSN; 0 stands for none. */
  readonly lsn: number;
  /**
   * What proves that it is the log's entry: the `position` that was sent with it, or
   * the bytes that are stored. It is compared with the log before anything is
   * sent. Without it the target is believed.
   */
  readonly check?: WalPosition | Uint8Array;
  /**
   * Entries before it that are to be compared as well: those that were stored while
   * an entry before them was refused, where the target cannot exclude that
   * something else was stored in its place.
   */
  readonly before?: readonly Omit<TargetPosition, 'before'>[];
}
/** What a call of a target may need. */
export interface TargetCall {
  /** The signal of `ForwardOptions`. */
  readonly signal: AbortSignal | undefined;
}
/**
 * A place that entries are carried to: JetStream, Redis, a database, a socket.
 * Every promise must settle, with an error when the connection is lost. An error with one
 * of the codes `ERR_TARGET_…` ends `forward()`; after any other one it asks for
 * the position again and goes on from there.
 */
export interface ForwardTarget {
  /** The last entry that the target has; undefined when it has none. Asked before the first entry, and after every failure. */
  position(call: TargetCall): Promise<TargetPosition | undefined>;
  /** Is called before the first entry is sent to a target that has none. */
  begin?(lsn: number, call: TargetCall): Promise<unknown>;
  /**
   * Stores entries, which follow those of the call before, and resolves when all
   * of them are acknowledged. Up to `inFlight` calls are under way at once. Batches are whole,
   * unless the first entry lies within one. Copy the data if it is kept for longer.
   */
  send(entries: readonly WalEntry[], call: TargetCall): Promise<unknown>;
  /** Is called when the cursor was moved: entries up to `lsn` are taken for safe. */
  committed?(lsn: number): Promise<unknown>;
  /** Default of the option of this name. */
  readonly batchEntries?: number;
  /** Default of the option of this name. */
  readonly safeAfterMs?: number;
}
/** A connection of `@nats-io/transport-node`. */
export interface NatsConnection {
  readonly info?:
    | {
        readonly version: string;
        readonly max_payload: number;
      }
    | undefined;
  isClosed(): boolean;
  status(): AsyncIterable<{
    readonly type: string;
  }>;
}
/** Where JetStream is, if not where the connection says: options of `jetstream()`. */
export interface JetStreamPlace {
  apiPrefix?: string;
  domain?: string;
}
/** Options of `connect()` of `@nats-io/transport-node`. */
export interface ConnectionOptions {
  maxReconnectAttempts: number;
  waitOnFirstConnect: boolean;
  reconnectDelayHandler: () => number;
  pingInterval: number;
  timeout: number;
}
/**
 * What `connect()` should be given: by default it gives up for good after ten tries, notices a frozen server after
 * four minutes, and one that dies while the connection is made after twenty seconds.
 */
export declare const connectionOptions: Readonly<ConnectionOptions>;
/** How a log is carried to a stream. */
export interface JetStreamTargetOptions {
  /** The stream, which is for this log alone. */
  stream: string;
  /** The subject that is published to. Default: the name of the stream. */
  subject?: string;
  /**
   * Further settings of the stream if it is missing and is made (`num_replicas`,
   * `max_age`, …: `StreamConfig` of the client); `false`: it is not made. Default: `discard: 'new'`, so
   * that a full stream refuses instead of dropping, and a `duplicate_window` of two minutes.
   */
  create?: Record<string, unknown> | false;
  /** How long an acknowledgement is waited for, in milliseconds. Default: 5000. */
  timeoutMs?: number;
  /** That of the log: refused at once when the server takes no messages of that size. Otherwise each entry is checked when it is sent. */
  entryBytesMax?: number;
  /** See `ForwardOptions`. Default: five minutes, because servers sync every two. */
  safeAfterMs?: number;
  /** Where JetStream is, if not where the connection says. */
  jetstream?: JetStreamPlace;
}
/**
 * A stream of JetStream as a target of `forward()`: the sequence of a message is the LSN of its entry.
 *
 * ```ts
 * const connection = await connect({ servers, ...connectionOptions });
 * await forward(wal, { cursor, target: await jetStreamTarget(connection, { stream: 'orders' }) });
 * ```
 *
 * @throws (rejects) `ERR_TARGET_REFUSED` for an `entryBytesMax` beyond what the server takes;
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`; and what `require()` says when
 * `@nats-io/jetstream` or `@nats-io/transport-node` is missing
 */
export declare function jetStreamTarget(
  connection: NatsConnection,
  options: JetStreamTargetOptions,
): Promise<ForwardTarget>;
/** How a stream is read, whatever it is a stream of. */
export interface ReadOptions {
  /**
   * Where to begin: `'oldest'` (default), `'latest'`, an LSN, or the position of an
   * entry, for what comes after that one.
   */
  from?: 'oldest' | 'latest' | number | WalPosition;
  /** Ends the iteration: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Entries that are delivered, or asked for, at once, if so many are there; a larger batch is delivered whole. Default: 256. */
  batchEntries?: number;
  /** How long an answer is waited for, in milliseconds. Default: 5000. */
  timeoutMs?: number;
  /**
   * Is called for each failure that is tried again: a server or stream that is not there, one that has lost entries and is
   * filled again. What it throws, or rejects with, ends the iteration: the way to give up.
   */
  onRetry?: (error: unknown, retry: Retry) => void;
}
/** Which entries of a stream are read. */
export interface SubscribeOptions extends ReadOptions {
  /** The stream that `forward()` fills. */
  stream: string;
  /** Where JetStream is, if not where the connection says. */
  jetstream?: JetStreamPlace;
}
/**
 * Reads a stream that `forward()` fills, on any machine: the entries that are there, then those that come, in
 * arrays of whole batches, in order and each once. It waits for a stream or a server that is
 * not there, and ends when the connection is closed for good.
 *
 * Keep the `position` of the last entry that was applied with what was made of it, and give that as `from` later.
 *
 * ```ts
 * for await (const entries of subscribe(connection, { stream: 'orders', from: saved, signal }))
 *   for (const { lsn, data, position } of entries) apply(lsn, data, position);
 * ```
 *
 * @throws while iterating the signal's reason; `ERR_ENTRIES_LOST` when the stream does not have any more what comes next (`lsn` to
 * `firstLsn - 1`); `ERR_TRUNCATED` when it has another entry in the place of the last one; `ERR_FOREIGN_POSITION`
 * when it is that of another log; `ERR_CORRUPT` for a message that `forward()` did not publish; at once
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
 */
export declare function subscribe(
  connection: NatsConnection,
  options: SubscribeOptions,
): AsyncIterableIterator<WalEntry[]>;
/** How a log is restored. */
export interface RestoreOptions extends Omit<SubscribeOptions, 'from' | 'batchEntries'> {
  /** Of the log that is made: see `Wal.open()`. */
  wal?: Omit<WalOptions, 'firstLsn'>;
}
/** What was restored. */
export interface Restored {
  readonly firstLsn: number;
  /** Below the stream's last one when that is within a batch. */
  readonly lastLsn: number;
  /** Of the last entry, in the log that was forwarded: what `subscribe()` goes on from. The new log has positions of its own. */
  readonly position: WalPosition | undefined;
}
/**
 * Makes a log of all entries that a stream has now, with their LSNs and batches, and
 * closes it: a machine that was lost, again. What was written is read back and compared. The log has an id of
 * its own, so forward it to a stream of its own too.
 *
 * ```ts
 * const { lastLsn } = await restore('orders', connection, { stream: 'orders' });
 * ```
 *
 * @throws (rejects) as `subscribe()` and `Wal.open()`; `ERR_FILE_EXISTS` when a log with entries is in the directory;
 * `ERR_CORRUPT` when what was written is not what is read
 */
export declare function restore(
  directory: string,
  connection: NatsConnection,
  options: RestoreOptions,
): Promise<Restored>;

export {};
