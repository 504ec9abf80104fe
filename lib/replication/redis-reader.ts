/**
 * Reads a Redis stream that forward() fills, on any machine: the entries of the log in their
 * batches, each one once. By asking again and again, so that it needs no connection of its own.
 */
import { waitUnlessAborted } from '../base/abort';
import { checkInteger, optionsOf } from '../base/checks';
import { invalidType } from '../base/errors';
import { waitForTime } from '../base/waits';
import type { WalEntry } from '../durable/wal/entries';
import { foreignPosition } from '../durable/wal/errors';
import { isPosition, pastOf, positionOf, type Past } from '../durable/wal/position';
import {
  batchIn,
  checkRead,
  entriesLost,
  isElsewhere,
  isFinal,
  isRefilled,
  notForwarded,
  otherPast,
  readNames,
  retriesOf,
  streamEnds,
  Whole,
  type CheckedRead,
  type ReadOptions,
} from './reading';
import { checkClient, Redis, type RedisClient } from './redis-client';

/** Which entries of a stream are read. */
export interface RedisSubscribeOptions extends ReadOptions {
  /** The key of the stream that `forward()` fills. */
  key: string;
  /** How often it asks while nothing comes, in milliseconds. Default: 20. */
  pollMs?: number;
}

const names = ['key', 'pollMs', ...readNames] as const;

type RawMessage = readonly [Buffer, readonly Buffer[]];

interface Message {
  readonly lsn: number;
  readonly data: Buffer | undefined;
  /** As it is stored. */
  readonly batch: string | undefined;
  readonly position: string | undefined;
}

const lsnOf = (id: string): number => Number(/^(\d+)-0$/.exec(id)?.[1] ?? NaN);

/** A field of what XINFO answers, in either version of the protocol. */
function fieldOf(info: unknown, name: string): string {
  const fields: unknown[] = Array.isArray(info) ? info : Object.entries(info as object).flat();
  return String(fields[fields.findIndex((field) => String(field) === name) + 1]);
}

function messageOf([id, fields]: RawMessage): Message {
  const found = new Map<string, Buffer>();
  for (let at = 0; at + 1 < fields.length; at += 2) found.set(String(fields[at]), fields[at + 1]!);
  return {
    lsn: lsnOf(String(id)),
    data: found.get('d'),
    batch: found.get('b')?.toString(),
    position: found.get('p')?.toString(),
  };
}

class StreamReader {
  readonly #redis: Redis;
  readonly key: string;
  readonly #count: number;
  /** The last entry that was read, or was given. */
  #last: Past | undefined;
  #next = 0;
  /** Those whose position comes with a later one. */
  #waiting: Message[] = [];

  constructor(redis: Redis, key: string, count: number) {
    this.#redis = redis;
    this.key = key;
    this.#count = count;
  }

  async begin(from: 'oldest' | 'latest' | number | Past): Promise<void> {
    if (typeof from === 'number') this.#next = from;
    else if (from === 'oldest') this.#next = await this.#oldest();
    else if (from === 'latest') this.#next = (await this.#newest()) + 1;
    else {
      const newest = await this.#newest();
      if (from.lsn > newest) throw streamEnds(this.key, from.lsn, newest);
      this.#last = from;
      this.#next = from.lsn + 1;
      await this.#compareLast();
    }
  }

  /** After a failure: from what was read, once the stream has that. */
  async goOn(): Promise<void> {
    this.#waiting = [];
    if (!(await this.#compareLast())) throw isRefilled(this.key, this.#last!.lsn);
  }

  /** Compares the last entry that was read with what the stream has at its place now; false where the stream ends before. */
  async #compareLast(): Promise<boolean> {
    const last = this.#last;
    if (last === undefined) return true;
    const position = await this.#positionAt(last.lsn);
    // Trimmed since: nothing is left to compare.
    if (position === undefined || !isPosition(position)) return position !== undefined;
    const past = pastOf(position);
    if (past.logId !== last.logId) throw foreignPosition(last);
    if (past.epoch !== last.epoch || past.branch !== last.branch)
      throw otherPast(this.key, last.lsn, position);
    return true;
  }

  /** What the message, or the one after it that speaks for both, says of itself; '' where it is gone, undefined where it is not there yet. */
  async #positionAt(lsn: number): Promise<string | undefined> {
    for (let next = lsn; ;) {
      const messages = await this.#messages(`${next}-0`, '+', this.#count);
      if (next === lsn && messages.length > 0 && messages[0]!.lsn !== lsn) return '';
      const found = messages.find(({ position }) => position !== undefined);
      if (found !== undefined) return found.position;
      if (messages.length < this.#count) return messages.length > 0 || next > lsn ? '' : undefined;
      next = messages.at(-1)!.lsn + 1;
    }
  }

  /** Entries that follow those that were read, as far as their positions are known. */
  async read(): Promise<WalEntry[]> {
    const isFresh = this.#waiting.length === 0;
    const from = this.#waiting.at(-1)?.lsn ?? this.#next - 1;
    const messages = await this.#messages(`${from + 1}-0`, '+', this.#count);
    const entries: WalEntry[] = [];
    let next = from + 1;
    for (const message of messages) {
      const isNext = message.lsn === next && message.data !== undefined;
      // What can be read comes first, then the error.
      if (!isNext && entries.length > 0) return entries;
      if (message.lsn > next) throw entriesLost(this.key, next, message.lsn);
      if (!isNext) throw notForwarded(this.key, next, 'was not added by forward()');
      ++next;
      this.#waiting.push(message);
      if (message.position === undefined) continue;
      try {
        entries.push(...(await this.#positioned(message.position)));
      } catch (error) {
        if (entries.length === 0) throw error;
        this.#waiting = [];
        return entries;
      }
    }
    // What is added at once is seen at once, and its last message has the position.
    const isAll = messages.length < this.#count;
    if (!isAll || this.#waiting.length === 0 || entries.length > 0) return entries;
    if (isFresh) throw notForwarded(this.key, from + messages.length, 'was not added by forward()');
    // The server may have lost the rest meanwhile.
    this.#waiting = [];
    return entries;
  }

  /** What waits, with a position for each. */
  async #positioned(position: string): Promise<WalEntry[]> {
    const messages = this.#waiting;
    const { lsn } = messages.at(-1)!;
    if (!isPosition(position) || pastOf(position).lsn !== lsn)
      throw notForwarded(this.key, lsn, `says that it is ${JSON.stringify(position)}`);
    const past = pastOf(position);
    const last = this.#last;
    if (last !== undefined && past.logId !== last.logId) throw foreignPosition(past);
    if (last !== undefined && past.epoch < last.epoch) throw otherPast(this.key, lsn, position);
    // Filled again by a log that was truncated, a stream may have another entry in the place of the last one by now.
    if (isElsewhere(last, past) && !(await this.#compareLast())) throw isRefilled(this.key, last.lsn);
    const entries = messages.map(({ lsn: each, data, batch }) => {
      const entry = { lsn: each, data: data!, position: positionOf({ ...past, lsn: each }) };
      return batch === undefined ? entry : { ...entry, batch: batchIn(this.key, each, batch) };
    });
    this.#last = past;
    this.#next = lsn + 1;
    this.#waiting = [];
    return entries;
  }

  async #oldest(): Promise<number> {
    const [oldest] = await this.#messages('-', '+', 1);
    if (oldest === undefined) throw new Error(`there is no message in stream ${this.key} yet`);
    return oldest.lsn;
  }

  async #newest(): Promise<number> {
    const [newest] = await this.#redis.command<RawMessage[]>('XREVRANGE', this.key, '+', '-', 'COUNT', '1');
    if (newest !== undefined) return messageOf(newest).lsn;
    if ((await this.#redis.command<number>('EXISTS', this.key)) === 0) return 0;
    // Trimmed to nothing, it knows how far it was.
    const info = await this.#redis.command<unknown>('XINFO', 'STREAM', this.key);
    return lsnOf(fieldOf(info, 'last-generated-id'));
  }

  async #messages(from: string, to: string, count: number): Promise<Message[]> {
    return (
      await this.#redis.command<RawMessage[]>('XRANGE', this.key, from, to, 'COUNT', String(count))
    ).map(messageOf);
  }
}

async function* read(
  client: RedisClient,
  reader: StreamReader,
  pollMs: number,
  checked: CheckedRead,
): AsyncGenerator<WalEntry[], void> {
  const whole = new Whole(reader.key);
  const retries = retriesOf(checked);
  let hasBegun = false;
  let failure: { readonly error: unknown } | undefined;
  for (;;) {
    retries.throwIfOver();
    if (!client.isOpen) return;
    let hasMore = false;
    try {
      if (!hasBegun) await reader.begin(checked.from);
      else if (failure !== undefined) await reader.goOn();
      hasBegun = true;
      failure = undefined;
      const entries = await reader.read();
      retries.succeeded();
      for (const entry of entries) whole.add(entry);
      hasMore = entries.length > 0;
    } catch (error) {
      retries.throwIfOver();
      failure = { error };
    }
    // What can be read comes before the error.
    if (whole.length > 0) yield whole.take();
    else if (failure === undefined && !hasMore) await waitUnlessAborted(waitForTime(pollMs), checked.signal);
    if (failure === undefined) continue;
    if (isFinal(failure.error)) throw failure.error;
    if (!client.isOpen) return;
    await retries.pause(failure.error);
  }
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
export function subscribe(
  client: RedisClient,
  options: RedisSubscribeOptions,
): AsyncIterableIterator<WalEntry[]> {
  const checked = checkClient(client);
  const { key, pollMs = 20, ...given } = optionsOf('options', options, names);
  if (typeof key !== 'string') throw invalidType('options.key', 'a string', key);
  const checkedPollMs = checkInteger('options.pollMs', pollMs, 1, 3_600_000);
  const checkedRead = checkRead(given);
  const { timeoutMs, batchEntries } = checkedRead;
  const reader = new StreamReader(new Redis(checked, timeoutMs), key, batchEntries);
  return read(checked, reader, checkedPollMs, checkedRead);
}
