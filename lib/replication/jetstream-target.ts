/**
 * JetStream as a target of forward(). The sequence of a message is the LSN of its entry:
 * 1. Each message is stored only after the one before it (`expect.lastSequence`), so
 *    that neither a retry nor what arrives late makes a gap or comes twice.
 * 2. Its id has the position and a checksum. A duplicate is compared, not believed.
 * 3. The last message of the stream is compared with the log before anything is sent; so
 *    are those before it that this target has not seen acknowledged: if another writer
 *    takes the place of one message, those after it may be stored all the same.
 */
import { checkAmount, checkInteger, checkObject, optionsOf } from '../base/checks';
import type { WalEntry } from '../durable/wal/entries';
import { pastOf, type WalPosition } from '../durable/wal/position';
import { checkStreamName, checkSubject, takes, unfitFor } from './jetstream-stream';
import {
  apiCode,
  BATCH,
  checkConnection,
  JetStream,
  MESSAGE_ID,
  NAME_IN_USE,
  NEVER,
  WRONG_LAST_SEQUENCE,
  type JetStreamPlace,
  type NatsConnection,
  type StoredMessage,
  type StreamInfo,
} from './nats';
import { checkTimeout } from './reading';
import { checkStamp, stampOf, textOfBatch } from './stamp';
import { isFatal, targetDiffers, targetRefused, type ForwardTarget, type TargetPosition } from './target';

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

/** Of the messages of a call of send(); with eight calls under way, 512. */
const BATCH_ENTRIES = 64;
/** Messages that a process that was killed can have had under way, if nothing else was asked for. */
const UNDER_WAY = 8 * BATCH_ENTRIES;
const SAFE_AFTER_MS = 300_000;
const TIMEOUT_MS = 5000;
/** Two minutes, in nanoseconds. */
const DUPLICATE_WINDOW_NS = 120e9;
/** What the headers of a message take at most: id, expectations, batch. */
const HEADER_BYTES = 400;
/** How often the stream may refuse what comes after its last message, as it says itself. */
const REFUSALS_MAX = 5;

const names = [
  'stream',
  'subject',
  'create',
  'timeoutMs',
  'entryBytesMax',
  'safeAfterMs',
  'jetstream',
] as const;

interface Checked {
  readonly stream: string;
  readonly subject: string;
  readonly create: Record<string, unknown> | undefined;
  readonly entryBytesMax: number;
  readonly safeAfterMs: number;
}

/** The first version that can begin a stream above 1. */
function canBeginLater(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}

class JetStreamTarget implements ForwardTarget {
  readonly batchEntries = BATCH_ENTRIES;
  readonly safeAfterMs: number;
  readonly #jetstream: JetStream;
  readonly #options: Checked;
  /** What the stream said last, and how often in a row it then refused the next one. */
  #last = -1;
  #refusals = 0;
  /** Messages from here on are not known to be ours; undefined: as many at the end as can have been under way. */
  #suspect: number | undefined;
  /** Settings of the stream, as it said last. */
  #config: StreamInfo['config'] | undefined;
  /** Whether the call of send() to come is the first one after that. */
  #isNext = false;

  constructor(jetstream: JetStream, options: Checked) {
    this.#jetstream = jetstream;
    this.#options = options;
    this.safeAfterMs = options.safeAfterMs;
    this.#checkSize(options.entryBytesMax);
  }

  async position(): Promise<TargetPosition | undefined> {
    const { stream } = this.#options;
    if (this.#jetstream.connection.isClosed())
      throw targetRefused(
        'the connection to the NATS server is closed for good; connect again, with connectionOptions',
      );
    const info = await this.#jetstream.info(stream);
    const lsn = info?.state.last_seq ?? 0;
    if (lsn !== this.#last) this.#refusals = 0;
    this.#last = lsn;
    this.#config = info?.config;
    this.#isNext = true;
    const unfit = info && unfitFor(info.config);
    if (unfit !== undefined)
      throw targetRefused(`stream ${stream} ${unfit}; give the log a stream of its own`);
    if (info === undefined || lsn === 0) return undefined;
    const message = await this.#jetstream.ask(({ streams }) => streams.getMessage(stream, { seq: lsn }));
    const before = await this.#before(info.state.first_seq, lsn);
    this.#suspect = Infinity;
    // A purge, or max_age, has left nothing to compare.
    return message === null ? { lsn, before } : { lsn, before, check: this.#positionOf(message) };
  }

  /** Messages that must be compared, before the last one. */
  async #before(first: number, last: number): Promise<{ lsn: number; check: WalPosition }[]> {
    const { stream } = this.#options;
    const found: { lsn: number; check: WalPosition }[] = [];
    let next = Math.max(first, this.#suspect ?? last - UNDER_WAY);
    while (next < last) {
      const count = Math.min(last - next, BATCH_ENTRIES);
      const messages = await this.#jetstream.ask(({ streams }) =>
        Promise.all(Array.from({ length: count }, (_, i) => streams.getMessage(stream, { seq: next + i }))),
      );
      for (const message of messages)
        if (message !== null) found.push({ lsn: message.seq, check: this.#positionOf(message) });
      next += count;
    }
    return found;
  }

  /** Makes the stream, if it is missing, so that its first sequence is this LSN. */
  async begin(lsn: number): Promise<void> {
    const { stream, subject, create } = this.#options;
    const existing = await this.#jetstream.info(stream);
    if (existing === undefined && create === undefined)
      throw targetRefused(`there is no stream ${stream}; make it, or leave out create: false`);
    if (lsn > 1) this.#checkBegin(lsn, existing !== undefined);
    if (existing !== undefined) return;
    const first = lsn > 1 ? { first_seq: lsn } : {};
    const config = {
      discard: 'new',
      // No longer than messages are kept.
      duplicate_window: Math.min(DUPLICATE_WINDOW_NS, Number(create?.max_age) || DUPLICATE_WINDOW_NS),
      ...create,
      name: stream,
      ...first,
    };
    try {
      await this.#jetstream.ask(({ streams }) => streams.add({ subjects: [subject], ...config }));
    } catch (error) {
      // Someone else was quicker, which the next position tells.
      if (apiCode(error) === NAME_IN_USE || apiCode(error) === undefined) throw error;
      throw targetRefused(`the server makes no stream ${stream}: ${(error as Error).message}`, error);
    }
  }

  async send(entries: readonly WalEntry[]): Promise<void> {
    const isNext = this.#isNext;
    this.#isNext = false;
    // Before the first one is published.
    for (const { lsn, data } of entries) this.#checkSize(data.length, lsn);
    try {
      await this.#jetstream.ask(() => Promise.all(entries.map((entry) => this.#publish(entry))));
      this.#refusals = 0;
    } catch (error) {
      this.#suspect = Math.min(entries[0]!.lsn, this.#suspect ?? Infinity);
      if (isNext && apiCode(error) === WRONG_LAST_SEQUENCE) ++this.#refusals;
      throw this.#explained(error);
    }
  }

  async #publish(entry: WalEntry): Promise<void> {
    const { stream, subject } = this.#options;
    const { lsn, data, batch } = entry;
    const msgID = stampOf(entry);
    const options: Record<string, unknown> = { msgID, expect: { streamName: stream, lastSequence: lsn - 1 } };
    if (batch !== undefined) {
      const headers = this.#jetstream.headers();
      headers.set(BATCH, textOfBatch(batch));
      options.headers = headers;
    }
    const { seq, duplicate } = await this.#jetstream.client.publish(subject, data, options);
    if (seq !== lsn) throw targetDiffers(lsn, `the stream has it as message ${seq}`);
    if (duplicate) await this.#compareDuplicate(entry, msgID);
  }

  /** The server knows ids only for a while, and not whose they are. */
  async #compareDuplicate({ lsn, data }: WalEntry, msgID: string): Promise<void> {
    const { stream } = this.#options;
    const message = await this.#jetstream.ask(({ streams }) => streams.getMessage(stream, { seq: lsn }));
    if (message === null) return;
    if (message.header.get(MESSAGE_ID) !== msgID || data.compare(message.data) !== 0)
      throw targetDiffers(
        lsn,
        `the server took it for a duplicate of message ${message.header.get(MESSAGE_ID)}`,
      );
  }

  #positionOf({ seq, header, data }: StoredMessage): WalPosition {
    const what = `message ${seq} of stream ${this.#options.stream}`;
    const id = header.get(MESSAGE_ID);
    const found = checkStamp(id, data);
    if ('fault' in found) {
      const how =
        found.fault === 'none' ? 'was published by something else' : 'has other bytes than its id says';
      throw targetDiffers(seq, `${what} ${how}: its id is ${JSON.stringify(id)}`);
    }
    if (pastOf(found.position).lsn !== seq) throw targetDiffers(seq, `${what} is ${found.position}`);
    return found.position;
  }

  /** What will fail again is refused for good. */
  #explained(error: unknown): unknown {
    const { stream, subject } = this.#options;
    const code = apiCode(error);
    const { name, message } = error as Error;
    if (isFatal(error)) return error;
    // Said of any subject that no stream takes.
    if (name === 'JetStreamNotEnabled' && this.#config !== undefined && !takes(this.#config, subject)) {
      const subjects = this.#config.subjects?.join(', ') ?? 'none, as it is a mirror';
      return targetRefused(
        `stream ${stream} does not take subject ${subject}; its subjects: ${subjects}`,
        error,
      );
    }
    if (
      (code !== undefined && NEVER.has(code)) ||
      name === 'InvalidArgumentError' ||
      name === 'InvalidNameError'
    )
      return targetRefused(`stream ${stream} does not take the entry: ${message}`, error);
    if (code === WRONG_LAST_SEQUENCE && this.#refusals >= REFUSALS_MAX)
      return targetRefused(
        `stream ${stream} says that its last message is ${this.#last}, but refuses the next one: ${message}. ` +
          'A server before 2.10 does that after a purge of an empty stream, until it is started again',
        error,
      );
    return error;
  }

  #checkBegin(lsn: number, exists: boolean): void {
    const { stream } = this.#options;
    const { version = '0' } = this.#jetstream.connection.info ?? {};
    const begins = `the log begins with entry ${lsn}, so that the stream's first sequence must be ${lsn}`;
    if (!canBeginLater(version))
      throw targetRefused(`${begins}, which nats-server ${version} cannot do: it takes 2.10 or later`);
    if (exists)
      throw targetRefused(`${begins}; delete the empty stream ${stream}, or make it with first_seq: ${lsn}`);
  }

  #checkSize(bytes: number, lsn?: number): void {
    const limit = (this.#jetstream.connection.info?.max_payload ?? Infinity) - HEADER_BYTES;
    if (bytes <= limit) return;
    const what = lsn === undefined ? `entryBytesMax is ${bytes}` : `entry ${lsn} has ${bytes} bytes`;
    throw targetRefused(
      `${what}, but the server takes messages of ${limit} bytes: raise max_payload there to ${bytes + HEADER_BYTES} ` +
        'or more, or open the log with a smaller entryBytesMax',
      undefined,
      lsn,
    );
  }
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
export async function jetStreamTarget(
  connection: NatsConnection,
  options: JetStreamTargetOptions,
): Promise<ForwardTarget> {
  const checked = checkConnection(connection);
  const given = optionsOf('options', options, names);
  const {
    timeoutMs = TIMEOUT_MS,
    create = {},
    safeAfterMs = SAFE_AFTER_MS,
    entryBytesMax = 0,
    jetstream = {},
  } = given;
  const stream = checkStreamName(given.stream);
  const place = checkObject('options.jetstream', jetstream) as JetStreamPlace;
  const timeout = checkTimeout(timeoutMs);
  const target = {
    stream,
    subject: checkSubject(given.subject ?? stream),
    create: create === false ? undefined : checkObject('options.create', create),
    entryBytesMax: checkInteger('options.entryBytesMax', entryBytesMax, 0),
    safeAfterMs: checkAmount('options.safeAfterMs', safeAfterMs, 'milliseconds'),
  };
  return new JetStreamTarget(await JetStream.over(checked, place, timeout), target);
}
