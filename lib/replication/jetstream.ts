/**
 * `atomic-log/jetstream`: a write-ahead log carried by NATS JetStream. Needs
 * `@nats-io/jetstream` and `@nats-io/transport-node` 3.4 or later.
 *
 * @packageDocumentation
 */
export { type NatsConnection, type JetStreamPlace } from './nats';
export { connectionOptions, type ConnectionOptions } from './connection-options';
export { jetStreamTarget, type JetStreamTargetOptions } from './jetstream-target';
export { subscribe, type SubscribeOptions } from './jetstream-reader';
export { restore, type Restored, type RestoreOptions } from './jetstream-restore';
export { type ReadOptions } from './reading';
export { type Retry } from './retry';
export { type ForwardTarget, type TargetCall, type TargetPosition } from './target';
export { type WalEntry } from '../durable/wal/entries';
export { type WalPosition } from '../durable/wal/position';
