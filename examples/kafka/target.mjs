// @ts-check
// A topic of Kafka, with one partition, as a target of forward(); and what reads it on other machines. Kafka does not
// refuse a record because of the one before it, so that:
//
// 1. One call is under way at a time, and each must begin where the one before it ended: the offset in the
//    acknowledgement tells. Where it does not, something else was stored between, which position() looks at.
// 2. Each record has its position in a header, and the last one is compared before anything is sent. An LSN is not an offset:
//    after a failure, entries may be stored twice, and readers pass over what comes again.
// 3. After each failure there is a new producer. What the old one has sent may have been stored: a producer that does not know
//    would use its sequence numbers again, for other records, which the broker takes for the same and drops.

import { parsePosition } from 'atomic-log';

/**
 * What is used of a producer of `@platformatic/kafka` 2, made with `idempotent: true`.
 *
 * @typedef {object} Producer
 * @property {(options: { messages: ToProduce[], acks: number }) => Promise<{ offsets?: { offset: bigint }[] }>} send
 * @property {(force?: boolean) => Promise<void>} close
 *
 * Of its consumer.
 *
 * @typedef {object} Consumer
 * @property {(options: { topics: string[], timestamp: bigint }) => Promise<Map<string, bigint[]>>} listOffsets
 * @property {(options: { topics: string[], mode: 'manual', offsets: Place[], autocommit: boolean }) => Promise<Messages>} consume
 *
 * @typedef {{ topic: string, partition: number, value: Buffer, headers: Map<Buffer, Buffer> }} ToProduce
 * @typedef {{ topic: string, partition: number, offset: bigint }} Place
 * @typedef {{ offset: bigint, value: Buffer, headers: Map<unknown, unknown> }} Message
 * @typedef {AsyncIterable<Message> & { close(): Promise<void> }} Messages
 *
 * @typedef {object} KafkaOptions
 * @property {string} topic With one partition, for this log alone.
 * @property {Consumer} consumer
 * @property {() => Producer} makeProducer
 * @property {number} [entryBytesMax] That of the log.
 * @property {number} [messageBytesMax] `max.message.bytes` of the topic. Default: that of Kafka.
 * @property {number} [timeoutMs] How long an answer is waited for.
 *
 * @typedef {import('atomic-log').WalEntry} WalEntry
 * @typedef {{ lsn: number, data: Buffer, position: string, batch?: WalEntry['batch'], offset: bigint }} StoredEntry
 * @typedef {import('atomic-log').TargetPosition} TargetPosition
 */

const POSITION = 'position';
const BATCH = 'batch';
const [EARLIEST, LATEST] = [-2n, -1n];
const ALL_REPLICAS = -1;
/** What a record, and the batch that it is in, add to an entry; rounded up. */
const RECORD_BYTES = 256;
const MESSAGE_BYTES_MAX = 1_048_588;
/** What will fail again. */
const NEVER = /^(MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE|INVALID_TOPIC_EXCEPTION|\w+_AUTHORIZATION_FAILED)$/;

/** @param {string} code @param {string} message @param {unknown} [cause] */
const coded = (code, message, cause) => Object.assign(new Error(message, { cause }), { code });

/**
 * What a broker has said, however deep in the error.
 *
 * @param {any} error
 * @returns {string | undefined}
 */
function refusalIn(error) {
  if (error === undefined || error === null) return undefined;
  if (NEVER.test(error.apiId)) return error.apiId;
  return [...(error.errors ?? []), error.cause].map(refusalIn).find((found) => found !== undefined);
}

/**
 * The entry of a record, if forward() has sent it.
 *
 * @param {Message} message
 * @returns {StoredEntry}
 */
function entryOf({ offset, value, headers }) {
  // The client gives keys and values as buffers, unless it was told otherwise.
  const found = new Map([...headers].map(([key, text]) => [String(key), String(text)]));
  let lsn;
  try {
    ({ lsn } = parsePosition(found.get(POSITION) ?? ''));
  } catch (error) {
    throw coded('ERR_TARGET_DIFFERS', `the record at offset ${offset} was produced by something else`, error);
  }
  const position = /** @type {string} */ (found.get(POSITION));
  const [first, count] = (found.get(BATCH) ?? '').split('/').map(Number);
  const entry = { lsn, data: value, position, offset };
  return count === undefined ? entry : { ...entry, batch: { first, count } };
}

export class KafkaTarget {
  batchEntries = 1024;
  safeAfterMs = 60_000;
  #options;
  /** @type {Producer | undefined} */
  #producer;
  /** The offset that comes next. */
  #end = 0n;
  /** Records before this offset are known to be ours. @type {bigint | undefined} */
  #known;
  #isSending = false;

  /** @param {KafkaOptions} options */
  constructor(options) {
    const { entryBytesMax = 0, messageBytesMax = MESSAGE_BYTES_MAX } = options;
    if (entryBytesMax + RECORD_BYTES > messageBytesMax)
      throw coded(
        'ERR_TARGET_REFUSED',
        `entryBytesMax is ${entryBytesMax}, but the topic takes ${messageBytesMax} bytes: raise max.message.bytes there`,
      );
    this.#options = { timeoutMs: 10_000, ...options };
  }

  /** @returns {Promise<TargetPosition | undefined>} */
  async position() {
    // What it has under way may still arrive: the offsets tell.
    this.#producer?.close(true).catch(() => {});
    this.#producer = this.#options.makeProducer();
    const [first, end] = await Promise.all([this.#offset(EARLIEST), this.#offset(LATEST)]);
    this.#end = end;
    if (end === 0n) return undefined;
    if (first === end)
      throw coded(
        'ERR_TARGET_REFUSED',
        `topic ${this.#options.topic} has had ${end} records and has none now, so that no one knows where to go on: ` +
          'set retention.ms and retention.bytes to -1 there, and forward to another topic',
      );
    const last = end - 1n;
    const known = this.#known === undefined || this.#known > last ? last : this.#known;
    const entries = await this.#read(known < first ? first : known, end);
    const found = entries.map(({ lsn, position }) => ({ lsn, check: position }));
    this.#known = end;
    return { ...found[found.length - 1], before: found.slice(0, -1) };
  }

  /** @param {readonly WalEntry[]} entries */
  async send(entries) {
    if (this.#isSending) throw coded('ERR_TARGET_REFUSED', 'forward() to Kafka takes inFlight: 1');
    this.#isSending = true;
    const { topic } = this.#options;
    try {
      const messages = entries.map(({ data, position, batch }) => {
        const headers = new Map([[Buffer.from(POSITION), Buffer.from(position)]]);
        if (batch !== undefined)
          headers.set(Buffer.from(BATCH), Buffer.from(`${batch.first}/${batch.count}`));
        return { topic, partition: 0, value: data, headers };
      });
      const producer = /** @type {Producer} */ (this.#producer);
      const { offsets } = await this.#answer(producer.send({ messages, acks: ALL_REPLICAS }));
      const offset = offsets?.[0]?.offset;
      if (offset !== this.#end) throw new Error(`the records are at offset ${offset}, not ${this.#end}`);
      this.#end = this.#known = offset + BigInt(entries.length);
    } catch (error) {
      const refusal = refusalIn(error);
      if (refusal === undefined) throw error;
      throw coded('ERR_TARGET_REFUSED', `topic ${topic} does not take the entries: ${refusal}`, error);
    } finally {
      this.#isSending = false;
    }
  }

  /** @param {bigint} timestamp */
  async #offset(timestamp) {
    const { topic, consumer } = this.#options;
    const offsets = (await this.#answer(consumer.listOffsets({ topics: [topic], timestamp }))).get(topic);
    if (offsets?.length === 1) return offsets[0];
    throw coded(
      'ERR_TARGET_REFUSED',
      `topic ${topic} must have one partition; it has ${offsets?.length ?? 'none'}`,
    );
  }

  /** @param {bigint} from @param {bigint} end */
  async #read(from, end) {
    const { topic, consumer } = this.#options;
    const offsets = [{ topic, partition: 0, offset: from }];
    const messages = await this.#answer(
      consumer.consume({ topics: [topic], mode: 'manual', offsets, autocommit: false }),
    );
    const read = async () => {
      const entries = [];
      for await (const message of messages) {
        if (message.offset >= from) entries.push(entryOf(message));
        if (message.offset >= end - 1n) break;
      }
      return entries;
    };
    try {
      return await this.#answer(read());
    } finally {
      await messages.close();
    }
  }

  /**
   * Every promise must settle.
   *
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  async #answer(promise) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('Kafka does not answer')), this.#options.timeoutMs);
    });
    try {
      return await /** @type {Promise<T>} */ (Promise.race([promise, late]));
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * The entries of the records of a topic, in their batches, each once. Keep the position of the last one that was applied, with
 * its offset, and give it as `from`.
 *
 * @param {AsyncIterable<Message>} messages
 * @param {string} [from]
 */
export async function* entriesOf(messages, from) {
  let last = from === undefined ? undefined : parsePosition(from);
  /** @type {StoredEntry[]} */
  let held = [];
  for await (const message of messages) {
    const entry = entryOf(message);
    const past = parsePosition(entry.position);
    if (last !== undefined) {
      if (past.logId !== last.logId)
        throw coded('ERR_FOREIGN_POSITION', `entry ${past.lsn} is of another log`);
      // It came again: a failure had left open whether it was stored.
      if (past.lsn <= last.lsn && past.epoch <= last.epoch) continue;
      if (past.lsn <= last.lsn || past.epoch < last.epoch)
        throw coded('ERR_TRUNCATED', `entry ${past.lsn} comes after entry ${last.lsn}, with another past`);
      if (past.lsn > last.lsn + 1)
        throw coded('ERR_ENTRIES_LOST', `entries ${last.lsn + 1} to ${past.lsn - 1} are missing`);
    }
    last = past;
    held.push(entry);
    const { batch, lsn } = entry;
    if (batch !== undefined && lsn !== batch.first + batch.count - 1) continue;
    yield held;
    held = [];
  }
}
