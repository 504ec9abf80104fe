/**
 * A Redis stream as a target of forward(). The id of a message is `<LSN>-0`:
 * 1. One script checks that the last message is the entry before, by its LSN and its
 *    position, and adds all entries of a call, or none. Ids alone would only grow.
 * 2. The last message of a call has the position (field `p`), and so has each one after which
 *    epoch or branch change; those before it have the same, but for the LSN.
 * 3. Messages of a batch have its first LSN and its size (field `b`); the bytes are in `d`.
 */
import { checkAmount, checkInteger, optionsOf } from '../base/checks';
import { invalidType } from '../base/errors';
import type { WalEntry } from '../durable/wal/entries';
import { isPosition } from '../durable/wal/position';
import { checkTimeout } from './reading';
import { checkClient, Redis, type RedisClient } from './redis-client';
import { textOfBatch } from './stamp';
import { targetDiffers, targetRefused, type ForwardTarget, type TargetPosition } from './target';

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

const names = ['key', 'timeoutMs', 'safeAfterMs', 'retainEntries'] as const;
const SAFE_AFTER_MS = 60_000;

/** Sets `last`, the id of the last message there ever was, and `position`, what that one says of itself. */
const LAST = `
local last, position = '0-0', ''
local found = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if found then
  last = found[1]
  for i = 1, #found[2], 2 do if found[2][i] == 'p' then position = found[2][i + 1] end end
end
local function generated()
  if redis.call('EXISTS', KEYS[1]) == 0 then return '0-0' end
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then return info[i + 1] end end
end
`;

/** Answers with the id, the position, and whether that message is there. */
const POSITION = `${LAST}
local id = generated()
if id ~= last then return { id, '', 0 } end
return { id, position, found and 1 or 0 }`;

/**
 * ARGV: id before, position before (or none), whether it may begin here, first LSN; how many
 * entries have a batch or a position, and for each of those its place, both of them; then
 * the data of all.
 */
const APPEND = `${LAST}
if last ~= ARGV[1] then last, found = generated(), nil end
if last ~= ARGV[1] and not (ARGV[3] == '1' and last == '0-0') then return redis.error_reply('WRONGLAST ' .. last) end
if found and ARGV[2] ~= '' and position ~= ARGV[2] then return redis.error_reply('WRONGLAST ' .. last .. ' ' .. position) end
local first, special, data = tonumber(ARGV[4]), {}, 6 + 3 * tonumber(ARGV[5])
for i = 6, data - 1, 3 do special[tonumber(ARGV[i])] = i end
for i = 0, #ARGV - data do
  local id, at = string.format('%.0f-0', first + i), special[i]
  if at then
    local message = { 'd', ARGV[data + i] }
    if ARGV[at + 1] ~= '' then message[3] = 'b' message[4] = ARGV[at + 1] end
    if ARGV[at + 2] ~= '' then message[#message + 1] = 'p' message[#message + 1] = ARGV[at + 2] end
    redis.call('XADD', KEYS[1], id, unpack(message))
  else
    redis.call('XADD', KEYS[1], id, 'd', ARGV[data + i])
  end
end
return 1`;

/** What a position says but for the LSN. */
const pastIn = (position: string): string => position.slice(position.indexOf(':'));

/** Of those entries that have a batch, or another past than the one after: place, batch, position. */
function specials(entries: readonly WalEntry[]): string[] {
  const lastAt = entries.length - 1;
  // Epochs only grow: where the ends have the same, so has all between.
  const isOnePast = pastIn(entries[0]!.position) === pastIn(entries[lastAt]!.position);
  const found: string[] = [];
  entries.forEach((entry, at) => {
    const { batch } = entry;
    const isEnd =
      at === lastAt || (!isOnePast && pastIn(entries[at + 1]!.position) !== pastIn(entry.position));
    if (batch === undefined && !isEnd) return;
    found.push(String(at), batch === undefined ? '' : textOfBatch(batch), isEnd ? entry.position : '');
  });
  return found;
}

class RedisTarget implements ForwardTarget {
  readonly safeAfterMs: number;
  readonly #redis: Redis;
  readonly #key: string;
  readonly #retainEntries: number;
  #sha = '';
  /** The entry that was sent last, or that the stream has. */
  #before = { lsn: 0, position: '' };
  /** LSN that a stream without messages may begin with. */
  #begin = 0;

  constructor(redis: Redis, key: string, safeAfterMs: number, retainEntries: number) {
    this.#redis = redis;
    this.#key = key;
    this.safeAfterMs = safeAfterMs;
    this.#retainEntries = retainEntries;
  }

  async position(): Promise<TargetPosition | undefined> {
    if (!this.#redis.isOpen)
      throw targetRefused('the client of the Redis server is closed for good; make another one');
    try {
      // A server that was started again has forgotten it.
      this.#sha = String(await this.#redis.command<Buffer>('SCRIPT', 'LOAD', APPEND));
      const answer = await this.#redis.command<[Buffer, Buffer, number]>('EVAL', POSITION, '1', this.#key);
      return this.#positionOf(String(answer[0]), String(answer[1]), answer[2] === 1);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  begin(lsn: number): Promise<void> {
    this.#begin = lsn;
    return Promise.resolve();
  }

  async send(entries: readonly WalEntry[]): Promise<void> {
    const { lsn } = entries[0]!;
    const before = this.#before.lsn === lsn - 1 ? this.#before.position : '';
    const mayBegin = lsn === this.#begin ? '1' : '0';
    const special = specials(entries);
    const args: (string | Buffer)[] = [
      `${lsn - 1}-0`,
      before,
      mayBegin,
      String(lsn),
      String(special.length / 3),
    ];
    for (const each of special) args.push(each);
    for (const { data } of entries) args.push(data);
    const last = entries.at(-1)!;
    this.#before = { lsn: last.lsn, position: last.position };
    try {
      await this.#redis.command('EVALSHA', this.#sha, '1', this.#key, ...args);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  async committed(lsn: number): Promise<void> {
    const first = lsn + 1 - this.#retainEntries;
    if (!(first > 1)) return;
    // The next commit does it otherwise.
    await this.#redis.command('XTRIM', this.#key, 'MINID', '~', `${first}-0`).catch(() => undefined);
  }

  #positionOf(id: string, position: string, isThere: boolean): TargetPosition | undefined {
    const lsn = Number(/^(\d+)-0$/.exec(id)?.[1] ?? NaN);
    const what = `message ${id} of stream ${this.#key} was added by something else`;
    if (Number.isNaN(lsn)) throw targetDiffers(0, what);
    this.#before = { lsn, position };
    if (lsn === 0) return undefined;
    // It was trimmed, or deleted: nothing is left to compare.
    if (!isThere) return { lsn };
    if (!isPosition(position)) throw targetDiffers(lsn, what);
    return { lsn, check: position };
  }

  /** What will fail again is refused for good. */
  #explained(error: unknown): unknown {
    const { message } = error as Error;
    if (!/^(WRONGTYPE|NOPERM|NOAUTH)\b/.test(message)) return error;
    return targetRefused(`the Redis server does not take the key ${this.#key}: ${message}`, error);
  }
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
export function redisTarget(client: RedisClient, options: RedisTargetOptions): ForwardTarget {
  const checked = checkClient(client);
  const {
    key,
    timeoutMs = 5000,
    safeAfterMs = SAFE_AFTER_MS,
    retainEntries,
  } = optionsOf('options', options, names);
  if (typeof key !== 'string') throw invalidType('options.key', 'a string', key);
  const timeout = checkTimeout(timeoutMs);
  return new RedisTarget(
    new Redis(checked, timeout),
    key,
    checkAmount('options.safeAfterMs', safeAfterMs, 'milliseconds'),
    retainEntries === undefined ? Infinity : checkInteger('options.retainEntries', retainEntries, 1),
  );
}
