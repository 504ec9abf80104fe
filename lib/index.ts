/**
 * Lock-free rolling logs in native memory, shared by the threads of a process
 * without copying.
 *
 * @packageDocumentation
 */
export { AtomicLog, type AtomicLogConstructor } from './atomic-log';
export { Chunk } from './chunk';
export { Cursor } from './cursor';
export { type AtomicLogError, type ErrorCode } from './errors';
export { type Batch, type FollowOptions } from './follower';
export { type LogHandle, type NativeHandle } from './handle';
export {
  type BigIntArray,
  type BigIntScalarType,
  type NumberArray,
  type NumberScalarType,
  type ScalarType,
} from './scalar';
export {
  type ArrayOf,
  type BigIntLogOptions,
  type CommonLogOptions,
  type LogOptions,
  type MappingMode,
  type NumberLogOptions,
  type RecordLogOptions,
  type RecordOf,
  type Schema,
  type ValueOf,
} from './schema';
export { Snapshot, type SnapshotChange } from './snapshot';
export { type FollowerStats, type LogStats, type ReaderStats } from './stats';
export { type Span } from './span';
export { Writer, type Entries } from './writer';
