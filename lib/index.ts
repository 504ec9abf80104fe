/**
 * Lock-free rolling logs in native memory, shared by the threads of a process
 * without copying.
 *
 * @packageDocumentation
 */
export { AtomicLog, type AtomicLogConstructor, type LogStats } from './atomic-log';
export { Chunk } from './chunk';
export { Cursor } from './cursor';
export { type AtomicLogError, type ErrorCode } from './errors';
export { FlushedOffset, type FlushedOffsetHandle } from './flushed-offset';
export { type Batch, type FollowOptions } from './follower';
export { type LogHandle } from './handle';
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
export { type SegmentError } from './segment-errors';
export { type SegmentOptions } from './segment-options';
export { SegmentReader, type ReadHint, type SegmentReaderOptions } from './segment-reader';
export { SegmentRecord } from './segment-record';
export {
  SegmentWriter,
  type Appended,
  type SegmentCreateOptions,
  type SegmentEntry,
  type SegmentOpenOptions,
  type SegmentRecoveryReport,
} from './segment-writer';
export { Snapshot, type SnapshotChange } from './snapshot';
export { type Span } from './span';
export { Wal, type AppendOptions, type WalRecovery, type WalStats } from './wal';
export { type WalEntry, type WalRange } from './wal-entries';
export { type WalError } from './wal-errors';
export { type WalFollowOptions } from './wal-follower';
export { type CommitPolicy, type Durability, type WalFile, type WalOptions } from './wal-options';
export { WalReader, type WalReaderOptions } from './wal-reader';
export { Writer, type Entries } from './writer';
