/**
 * What is used of `@nats-io/transport-node` and `@nats-io/jetstream` 3.4: these types are no
 * more than that, so that programs without them compile. And whether a connection is up.
 */
import { invalidType } from '../base/errors';
import { checkObject } from '../base/checks';
import { loadLate } from '../base/late';

/** A connection of `@nats-io/transport-node`. */
export interface NatsConnection {
  readonly info?: { readonly version: string; readonly max_payload: number } | undefined;
  isClosed(): boolean;
  status(): AsyncIterable<{ readonly type: string }>;
}

/** Where JetStream is, if not where the connection says: options of `jetstream()`. */
export interface JetStreamPlace {
  apiPrefix?: string;
  domain?: string;
}

export interface Headers {
  get(name: string): string;
  set(name: string, value: string): void;
}

export interface StreamState {
  readonly messages: number;
  readonly first_seq: number;
  readonly last_seq: number;
}

export interface StoredMessage {
  readonly seq: number;
  readonly header: Headers;
  readonly data: Uint8Array;
}

export interface Message {
  readonly seq: number;
  readonly headers: Headers | undefined;
  readonly data: Uint8Array;
  readonly info: { readonly pending: number };
}

/** Messages of a consumer; the iteration ends when it is stopped. */
export interface Messages extends AsyncIterable<Message> {
  stop(error?: Error): void;
}

export interface StreamInfo {
  readonly config: {
    readonly subjects?: readonly string[];
    readonly retention?: string;
    readonly no_ack?: boolean;
  };
  readonly state: StreamState;
}

export interface Manager {
  readonly streams: {
    info(name: string): Promise<StreamInfo>;
    add(config: Record<string, unknown>): Promise<StreamInfo>;
    getMessage(name: string, query: { seq: number }): Promise<StoredMessage | null>;
  };
}

export interface Acknowledgement {
  readonly seq: number;
  readonly duplicate: boolean;
}

export interface Client {
  publish(subject: string, data: Uint8Array, options: Record<string, unknown>): Promise<Acknowledgement>;
  readonly consumers: {
    get(
      stream: string,
      options: Record<string, unknown>,
    ): Promise<{ consume(options: Record<string, unknown>): Promise<Messages> }>;
  };
}

/** @internal */
interface Modules {
  jetstream(connection: NatsConnection, options: object): Client;
  jetstreamManager(connection: NatsConnection, options: object): Promise<Manager>;
  headers(): Headers;
}

/** Loaded when they are needed: both are optional. */
function modules(): Modules {
  /* eslint-disable @typescript-eslint/no-require-imports -- so that they can be missing, and bundlers see them */
  return loadLate(() => ({
    ...(require('@nats-io/jetstream') as Pick<Modules, 'jetstream' | 'jetstreamManager'>),
    headers: (require('@nats-io/transport-node') as Pick<Modules, 'headers'>).headers,
  }));
  /* eslint-enable @typescript-eslint/no-require-imports */
}

export const STREAM_NOT_FOUND = 10059;
export const NAME_IN_USE = 10058;
export const WRONG_LAST_SEQUENCE = 10071;
/** Another stream took the message; it is too large for the stream; invalid subject; a stream that is sealed. */
export const NEVER = new Set([10060, 10054, 10052, 10109]);

export const MESSAGE_ID = 'Nats-Msg-Id';
export const BATCH = 'Atomic-Log-Batch';

/** What an error of the server says. */
export function apiCode(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'number' ? code : undefined;
}

/**
 * Whether the connection is up. The client rejects what is under way only when it times
 * out, so everything here waits for the loss of the connection too.
 */
class Watch {
  #isUp = true;
  readonly #losses = new Set<(error: Error) => void>();

  constructor(connection: NatsConnection) {
    void this.#follow(connection);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Calls `onLoss` when the connection is lost, unless the returned function was called before. */
  onLoss(onLoss: (error: Error) => void): () => void {
    this.#losses.add(onLoss);
    return () => this.#losses.delete(onLoss);
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'reconnect') this.#isUp = true;
      if (type === 'disconnect' || type === 'close') this.#lose();
    }
    this.#lose();
  }

  #lose(): void {
    this.#isUp = false;
    for (const onLoss of [...this.#losses]) onLoss(new Error('the connection to the NATS server was lost'));
    this.#losses.clear();
  }
}

/** One for a connection, however many targets and readers use it. */
const watches = new WeakMap<NatsConnection, Watch>();

export function checkConnection(connection: unknown): NatsConnection {
  const { status, isClosed } = checkObject('connection', connection);
  if (typeof status !== 'function' || typeof isClosed !== 'function')
    throw invalidType('connection', 'a connection of @nats-io/transport-node', connection);
  return connection as NatsConnection;
}

/** JetStream over a connection, whose calls end when that is lost. */
export class JetStream {
  readonly connection: NatsConnection;
  readonly client: Client;
  readonly headers: () => Headers;
  readonly #manager: Manager;
  readonly #watch: Watch;

  private constructor(connection: NatsConnection, client: Client, manager: Manager, headers: () => Headers) {
    this.connection = connection;
    this.client = client;
    this.#manager = manager;
    this.headers = headers;
    let watch = watches.get(connection);
    if (watch === undefined) watches.set(connection, (watch = new Watch(connection)));
    this.#watch = watch;
  }

  static async over(connection: NatsConnection, place: JetStreamPlace, timeout: number): Promise<JetStream> {
    const { jetstream, jetstreamManager, headers } = modules();
    // The server may be down at this moment: the first call says so.
    const manager = await jetstreamManager(connection, { ...place, timeout, checkAPI: false });
    return new JetStream(connection, jetstream(connection, { ...place, timeout }), manager, headers);
  }

  get isUp(): boolean {
    return this.#watch.isUp && !this.connection.isClosed();
  }

  onLoss(onLoss: (error: Error) => void): () => void {
    return this.#watch.onLoss(onLoss);
  }

  /** The result of a call, unless the connection is lost before. */
  async ask<T>(call: (manager: Manager) => Promise<T>): Promise<T> {
    if (!this.isUp) throw new Error('there is no connection to the NATS server now');
    let stop!: () => void;
    const lost = new Promise<never>((_, reject) => (stop = this.onLoss(reject)));
    try {
      return await Promise.race([call(this.#manager), lost]);
    } finally {
      stop();
    }
  }

  /** Undefined when there is no such stream. */
  async info(stream: string): Promise<StreamInfo | undefined> {
    try {
      return await this.ask(({ streams }) => streams.info(stream));
    } catch (error) {
      if (apiCode(error) === STREAM_NOT_FOUND) return undefined;
      throw error;
    }
  }
}
