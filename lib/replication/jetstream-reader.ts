/**
 * Reads a stream that forward() fills, on any machine: the entries of the log in their
 * batches, each one once, whatever happens to the connection or the server.
 */
import { onAbort } from '../base/abort';
import { checkObject, optionsOf } from '../base/checks';
import type { WalEntry } from '../durable/wal/entries';
import { foreignPosition, type WalError } from '../durable/wal/errors';
import { pastOf, type Past } from '../durable/wal/position';
import { checkStreamName } from './jetstream-stream';
import {
  BATCH,
  checkConnection,
  JetStream,
  MESSAGE_ID,
  type JetStreamPlace,
  type Message,
  type NatsConnection,
  type StreamState,
} from './nats';
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
import { checkStamp } from './stamp';

/** Which entries of a stream are read. */
export interface SubscribeOptions extends ReadOptions {
  /** The stream that `forward()` fills. */
  stream: string;
  /** Where JetStream is, if not where the connection says. */
  jetstream?: JetStreamPlace;
}

interface Checked extends CheckedRead {
  readonly stream: string;
  readonly place: JetStreamPlace;
}

const names = ['stream', 'jetstream', ...readNames] as const;
/** A consumer that a killed server has forgotten is noticed after two of these. */
const HEARTBEAT_MS = 1000;
const MESSAGES_AHEAD = 1000;

export function checkSubscribe(options: unknown): Checked {
  const { stream, jetstream = {}, ...given } = optionsOf('options', options, names);
  return {
    stream: checkStreamName(stream),
    place: checkObject('options.jetstream', jetstream),
    ...checkRead(given),
  };
}

/** Entries of one log, in order, as messages bring them. */
class Entries {
  readonly #stream: string;
  /** LSN of the next one. */
  next: number;
  /** The last one that was read, or was given. */
  last: Past | undefined;

  constructor(stream: string, next: number, last: Past | undefined) {
    this.#stream = stream;
    this.next = next;
    this.last = last;
  }

  /** The entry of a message; undefined for one that was read before. */
  take({ seq, headers, data }: Pick<Message, 'seq' | 'headers' | 'data'>): WalEntry | undefined {
    if (seq < this.next) return undefined;
    if (seq > this.next) throw entriesLost(this.#stream, this.next, seq);
    const id = headers?.get(MESSAGE_ID) ?? '';
    const found = checkStamp(id, data);
    if ('fault' in found) throw this.#fault(seq, id, found.fault);
    const { position } = found;
    const past = pastOf(position);
    const { last } = this;
    if (past.lsn !== seq) throw this.#fault(seq, id, 'none');
    if (last !== undefined && past.logId !== last.logId) throw foreignPosition(past);
    if (last !== undefined && past.epoch < last.epoch) throw otherPast(this.#stream, seq, position);
    const text = headers?.get(BATCH) ?? '';
    const batch = text === '' ? undefined : batchIn(this.#stream, seq, text);
    const entry = { lsn: seq, data: Buffer.from(data.buffer, data.byteOffset, data.length), position };
    this.last = past;
    this.next = seq + 1;
    return batch === undefined ? entry : { ...entry, batch };
  }

  #fault(seq: number, id: string, fault: 'none' | 'damaged'): WalError {
    const how = fault === 'none' ? 'was not published by forward()' : 'has other bytes than its id says';
    return notForwarded(this.#stream, seq, `${how}: its id is ${JSON.stringify(id)}`);
  }
}

async function stateOf(jetstream: JetStream, stream: string): Promise<StreamState> {
  const info = await jetstream.info(stream);
  if (info !== undefined) return info.state;
  throw new Error(`there is no stream ${stream} yet`);
}

/** Compares the last entry that was read with what the stream has at its place now. */
async function compareLast(jetstream: JetStream, stream: string, last: Past): Promise<void> {
  const message = await jetstream.ask(({ streams }) => streams.getMessage(stream, { seq: last.lsn }));
  if (message === null) return;
  const id = message.header.get(MESSAGE_ID);
  const found = checkStamp(id, message.data);
  if ('fault' in found) throw otherPast(stream, last.lsn, id);
  const past = pastOf(found.position);
  if (past.logId !== last.logId) throw foreignPosition(last);
  if (past.lsn !== last.lsn || past.epoch !== last.epoch || past.branch !== last.branch)
    throw otherPast(stream, last.lsn, found.position);
}

/** Where to begin in a stream that is in this state. */
async function begin(jetstream: JetStream, { stream, from }: Checked): Promise<Entries> {
  const { first_seq, last_seq } = await stateOf(jetstream, stream);
  if (from === 'oldest') return new Entries(stream, Math.max(first_seq, 1), undefined);
  if (from === 'latest') return new Entries(stream, last_seq + 1, undefined);
  if (typeof from === 'number') return new Entries(stream, from, undefined);
  if (from.lsn > last_seq) throw streamEnds(stream, from.lsn, last_seq);
  if (from.lsn < first_seq - 1) throw entriesLost(stream, from.lsn + 1, first_seq);
  await compareLast(jetstream, stream, from);
  return new Entries(stream, from.lsn + 1, from);
}

/** One consumer, until the signal aborts; throws when the connection is lost or it fails. */
async function* consume(
  jetstream: JetStream,
  entries: Entries,
  { stream, signal, batchEntries }: Checked,
  until: number,
  onBegin: () => void,
): AsyncGenerator<WalEntry[], void> {
  const { first_seq, last_seq } = await stateOf(jetstream, stream);
  // After a power failure of the server the stream is filled again.
  if (entries.last !== undefined && last_seq < entries.last.lsn) throw isRefilled(stream, entries.last.lsn);
  if (entries.last !== undefined) await compareLast(jetstream, stream, entries.last);
  if (entries.next < first_seq) throw entriesLost(stream, entries.next, first_seq);
  const consumer = await jetstream.ask(() =>
    jetstream.client.consumers.get(stream, {
      deliver_policy: 'by_start_sequence',
      opt_start_seq: entries.next,
    }),
  );
  const messages = await jetstream.ask(() =>
    consumer.consume({
      max_messages: MESSAGES_AHEAD,
      idle_heartbeat: HEARTBEAT_MS,
      expires: 5 * HEARTBEAT_MS,
    }),
  );
  onBegin();
  const stop = (): void => messages.stop();
  const stops = [jetstream.onLoss(stop), ...(signal === undefined ? [] : [onAbort(signal, stop)])];
  if (!jetstream.isUp || signal?.aborted === true) stop();
  const whole = new Whole(stream);
  try {
    for await (const message of messages) {
      const { last } = entries;
      const entry = entries.take(message);
      // Made again and filled by a log that was truncated, a stream may have another entry in its place by now.
      if (isElsewhere(last, entries.last)) await compareLast(jetstream, stream, last);
      if (entry !== undefined) whole.add(entry);
      const isLast = message.seq >= until || message.info.pending === 0;
      if (whole.length > 0 && (isLast || whole.length >= batchEntries)) yield whole.take();
      if (message.seq >= until) return;
      if (until !== Infinity && message.info.pending === 0)
        throw entriesLost(stream, entries.next, until + 1);
    }
    if (signal?.aborted === true) return;
    if (whole.length > 0) yield whole.take();
    throw new Error(jetstream.isUp ? 'the consumer has ended' : 'the connection to the NATS server was lost');
  } catch (error) {
    // What can be read comes first, then the error.
    if (whole.length > 0) yield whole.take();
    throw error;
  } finally {
    for (const each of stops) each();
    messages.stop();
  }
}

/** Entries up to `until`, from wherever the stream can be reached. */
export async function* readStream(
  connection: NatsConnection,
  checked: Checked,
  until = Infinity,
): AsyncGenerator<WalEntry[], void> {
  const { place, timeoutMs } = checked;
  const jetstream = await JetStream.over(connection, place, timeoutMs);
  const retries = retriesOf(checked);
  const onBegin = (): void => retries.succeeded();
  let entries: Entries | undefined;
  for (;;) {
    retries.throwIfOver();
    if (connection.isClosed()) return;
    try {
      entries ??= await begin(jetstream, checked);
      // What a lost batch began is read again.
      let end = { next: entries.next, last: entries.last };
      try {
        for await (const batch of consume(jetstream, entries, checked, until, onBegin)) {
          const { lsn, position } = batch.at(-1)!;
          end = { next: lsn + 1, last: pastOf(position) };
          yield batch;
        }
      } finally {
        if (entries.next <= until) Object.assign(entries, end);
      }
      if (entries.next > until) return;
    } catch (error) {
      retries.throwIfOver();
      if (isFinal(error)) throw error;
      if (!connection.isClosed()) await retries.pause(error);
    }
  }
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
export function subscribe(
  connection: NatsConnection,
  options: SubscribeOptions,
): AsyncIterableIterator<WalEntry[]> {
  return readStream(checkConnection(connection), checkSubscribe(options));
}
