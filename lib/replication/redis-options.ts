/** Options of `createClient()` of `redis`. */
export interface RedisClientOptions {
  disableOfflineQueue: true;
}

/**
 * What `createClient()` must be given: what it keeps while it is offline, it would send after a hole.
 * Listen to its `error` event too, or the process ends when the server does.
 */
export const clientOptions: Readonly<RedisClientOptions> = { disableOfflineQueue: true };
