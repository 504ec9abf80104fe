// Generated from lib/ by "npm run build:types". Do not edit.
/// <reference lib="esnext.disposable" />

declare global {
  interface AbortSignal {}
}
type Buffer = typeof globalThis extends { Buffer: { alloc(size: number): infer B } } ? B : Uint8Array;

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
/** Options of `createClient()` of `redis`. */
export interface RedisClientOptions {
  disableOfflineQueue: true;
}
/**
 * What `createClient()` must be given: what it keeps while it is offline, it would send after a hole.
 * Listen to its `error` event too, or the process ends when the server does.
 */
export declare const clientOptions: Readonly<RedisClientOptions>;
/** A client of `redis`: what `createClient()` returns, not that of a cluster or a pool. */
export interface RedisClient {
  readonly isOpen: boolean;
  readonly options?:
    | {
        readonly disableOfflineQueue?: boolean | undefined;
      }
    | undefined;
  sendCommand(args: readonly (string | Buffer)[]): Promise<unknown>;
  withTypeMapping(mapping: Record<number, unknown>): Pick<RedisClient, 'sendCommand'>;
}
/** How a log is carried to a Redis stream. */
export interface RedisTargetOptions {
  /** The key of the stream, which is for this log alone. */
  key: string;
  /** How long an answer is waited for, in milliseconds. Default: 5000. */
  timeoutMs?: number;
  /** See `ForwardOptions`. Default: one minute. 0 is right for a server with `appendfsync always` alone. */
  safeAfterMs?: number;
  /**
   * Entries that the stream keeps at least: older ones are dropped (`XTRIM MINID`) once
   * they are safe, whether they were read or not. Default: all.
   */
  retainEntries?: number;
}
/**
 * A Redis stream as a target of `forward()`: the id of a message is `<LSN>-0`.
 *
 * ```ts
 * const client = await createClient({ ...clientOptions, url }).on('error', report).connect();
 * await forward(wal, { cursor, target: redisTarget(client, { key: 'orders' }) });
 * ```
 *
 * @throws `ERR_TARGET_REFUSED` for a client without `disableOfflineQueue`; `ERR_INVALID_ARG_TYPE`,
 * `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
 */
export declare function redisTarget(client: RedisClient, options: RedisTargetOptions): ForwardTarget;
/** Which entries of a stream are read. */
export interface RedisSubscribeOptions extends ReadOptions {
  /** The key of the stream that `forward()` fills. */
  key: string;
  /** How often it asks while nothing comes, in milliseconds. Default: 20. */
  pollMs?: number;
}
/**
 * Reads a stream that `forward()` fills, on any machine: the entries that are there, then those that come, in
 * arrays of whole batches, in order and each once. It waits for a stream or a server that is not
 * there, and ends when the client is closed for good. Keep the `position` of the last entry that was applied with what was
 * made of it, and give that as `from` later.
 *
 * ```ts
 * for await (const entries of subscribe(client, { key: 'orders', from: saved, signal }))
 *   for (const { lsn, data, position } of entries) apply(lsn, data, position);
 * ```
 *
 * @throws while iterating the signal's reason; `ERR_ENTRIES_LOST` when the stream does not have any more what comes next
 * (`lsn` to `firstLsn - 1`); `ERR_TRUNCATED` when it has another entry in the place of the last one; `ERR_FOREIGN_POSITION` when it
 * is that of another log; `ERR_CORRUPT` for a message that `forward()` did not add; at once `ERR_TARGET_REFUSED` for a client without
 * `disableOfflineQueue`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
 */
export declare function subscribe(
  client: RedisClient,
  options: RedisSubscribeOptions,
): AsyncIterableIterator<WalEntry[]>;

export {};
