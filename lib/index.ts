/**
 * Lock-free rolling logs in native memory, shared by the threads of a process
 * without copying.
 *
 * @packageDocumentation
 */
export { type AttachOptions, type CommonAttachOptions, type RecordAttachOptions } from './memory/open-log';
export { type ColumnSource, type Entries, type VarData } from './memory/batch';
export { Chunk } from './memory/chunk';
export { bytes, json, structured, utf8, type Codec } from './memory/codec';
export { Cursor } from './memory/cursor';
export { type Followed } from './base/dispose';
export { type AtomicLogError, type ErrorCode } from './base/errors';
export { FlushedOffset, type FlushedOffsetHandle } from './durable/segment/flushed-offset';
export { type Batch, type FollowOptions, type WhenReplaced, type WhenWriterLost } from './memory/follower';
export { type LogHandle, type NativeHandle } from './memory/handle';
export { parseRecord, type ParseOptions } from './durable/segment/parse-record';
export {
  type BigIntArray,
  type BigIntScalarType,
  type FieldType,
  type NumberArray,
  type NumberScalarType,
  type ScalarArrays,
  type ScalarType,
  type VariableType,
} from './base/scalar';
export {
  type BigIntLogOptions,
  type CodecLogOptions,
  type CommonLogOptions,
  type LogOptions,
  type MappingMode,
  type NumberLogOptions,
  type RecordLogOptions,
  type VariableSizeOptions,
} from './memory/options';
export {
  defineSchema,
  type ArrayOf,
  type ColumnOf,
  type FieldArrayOf,
  type RecordOf,
  type ScalarOf,
  type Schema,
  type ValueOf,
} from './memory/schema';
export { type WakeUps } from './memory/storage';
export { type SegmentError } from './durable/errors';
export {
  type Compression,
  type SegmentCreateOptions,
  type SegmentOpenOptions,
  type SegmentOptions,
  type SegmentRecoveryReport,
} from './durable/segment/options';
export { SegmentReader, type ReadHint, type SegmentReaderOptions } from './durable/segment/reader';
export { SegmentRecord } from './durable/segment/record';
export { SegmentTail, type SegmentFollowOptions, type SegmentTailOptions } from './durable/segment/tail';
export { type SegmentEntry } from './durable/segment/entries';
export { SegmentWriter } from './durable/segment/writer';
export { type Appended } from './durable/segment/append-buffer';
export { Snapshot, type SnapshotChange } from './memory/snapshot';
export { type FollowerStats, type LogStats, type ProcessStats, type ReaderStats } from './memory/stats';
export { type Span } from './memory/span';
export {
  AtomicLog,
  type AtomicLogConstructor,
  type ClaimedLog,
  type ProcessLogOptions,
} from './journal/typed-log';
export {
  type JoinOptions,
  type JoinWaitOptions,
  type ProcessOptions,
  type ReadOnlyOptions,
  type RecordJoinOptions,
} from './processes/options';
export { JournaledLog } from './journal/journaled-log';
export { JournaledReader } from './journal/journaled-reader';
export { type JournalAttachOptions, type JournalOptions, type JournalPlace } from './journal/options';
export { VarColumn } from './memory/var-column';
export { type AppendOptions } from './durable/wal/append';
export { Wal } from './durable/wal/wal';
export { type WalEntry, type WalRange } from './durable/wal/entries';
export { WalCursor, type WalCursorOptions } from './durable/wal/cursor';
export { type WalCursorInfo } from './durable/wal/cursor-list';
export { parsePosition, type Past as PositionParts, type WalPosition } from './durable/wal/position';
export { type WalError } from './durable/wal/errors';
export { type WalFollowOptions } from './durable/wal/follower';
export {
  type CommitPolicy,
  type Durability,
  type WalCheckpointOptions,
  type WalFile,
  type WalOptions,
} from './durable/wal/options';
export { WalReader, type WalReaderOptions, type WalReaderWaitOptions } from './durable/wal/reader';
export { type WalRecovery, type WalStats } from './durable/wal/reports';
export { salvage, type LostEntries, type Salvage } from './durable/wal/salvage';
export { Writer } from './memory/writer';
export { forward } from './replication/forward';
export { type ForwardCursor, type ForwardOptions, type ForwardProgress } from './replication/options';
export { type Retry } from './replication/retry';
export {
  type ForwardTarget,
  type TargetCall,
  type TargetErrorCode,
  type TargetPosition,
} from './replication/target';
