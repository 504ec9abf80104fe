/**
 * What is used of a client of `redis` 6: these types are no more than that, so that programs
 * without it compile.
 */
import { checkObject } from '../base/checks';
import { invalidType } from '../base/errors';
import { waitForTime } from '../base/waits';
import { targetRefused } from './target';

/** A client of `redis`: what `createClient()` returns, not that of a cluster or a pool. */
export interface RedisClient {
  readonly isOpen: boolean;
  readonly options?: { readonly disableOfflineQueue?: boolean | undefined } | undefined;
  sendCommand(args: readonly (string | Buffer)[]): Promise<unknown>;
  withTypeMapping(mapping: Record<number, unknown>): Pick<RedisClient, 'sendCommand'>;
}

/** RESP_TYPES.BLOB_STRING: by default such a value becomes a string, and other bytes than UTF-8 are lost. */
const BLOB_STRING = 36;

export function checkClient(client: unknown): RedisClient {
  const { sendCommand, withTypeMapping, options } = checkObject('client', client);
  if (typeof sendCommand !== 'function' || typeof withTypeMapping !== 'function')
    throw invalidType('client', 'a client of redis', client);
  // What it keeps while it is offline, it sends after what was lost.
  if ((options as RedisClient['options'])?.disableOfflineQueue !== true)
    throw targetRefused(
      'the client must be made with disableOfflineQueue: true: createClient({ ...clientOptions, url })',
    );
  return client as RedisClient;
}

/** Commands whose answers have bytes as they are, each waited for no longer than a time. */
export class Redis {
  readonly #client: RedisClient;
  readonly #binary: Pick<RedisClient, 'sendCommand'>;
  readonly #timeoutMs: number;

  constructor(client: RedisClient, timeoutMs: number) {
    this.#client = client;
    this.#binary = client.withTypeMapping({ [BLOB_STRING]: Buffer });
    this.#timeoutMs = timeoutMs;
  }

  /** False once it is closed for good. */
  get isOpen(): boolean {
    return this.#client.isOpen;
  }

  /** A command that times out may still be carried out. */
  async command<T>(...args: (string | Buffer)[]): Promise<T> {
    const timeout = waitForTime(this.#timeoutMs);
    let isOver = false;
    const late = timeout.done.then(() => {
      if (!isOver) throw new Error(`the Redis server did not answer within ${this.#timeoutMs} ms`);
    });
    try {
      return (await Promise.race([this.#binary.sendCommand(args), late])) as T;
    } finally {
      isOver = true;
      timeout.cancel();
    }
  }
}
