/**
 * `atomic-log/redis`: a write-ahead log carried by Redis Streams. Takes clients of `redis` 6.
 *
 * @packageDocumentation
 */
export { clientOptions, type RedisClientOptions } from './redis-options';
export { type RedisClient } from './redis-client';
export { redisTarget, type RedisTargetOptions } from './redis-target';
export { subscribe, type RedisSubscribeOptions } from './redis-reader';
export { type ReadOptions } from './reading';
export { type Retry } from './retry';
export { type ForwardTarget, type TargetCall, type TargetPosition } from './target';
export { type WalEntry } from '../durable/wal/entries';
export { type WalPosition } from '../durable/wal/position';
