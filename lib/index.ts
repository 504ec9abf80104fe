/**
 * Lock-free rolling logs in native memory, shared by the threads of a process
 * without copying.
 *
 * @packageDocumentation
 */
export { type AttachOptions } from './atomic-log';
export { type ColumnSource, type Entries, type VarData } from './batch';
export { Chunk } from './chunk';
export { bytes, json, structured, utf8, type Codec } from './codec';
export { Cursor } from './cursor';
export { type Followed } from './dispose';
export { type AtomicLogError, type ErrorCode } from './errors';
export { FlushedOffset, type FlushedOffsetHandle } from './flushed-offset';
export { type Batch, type FollowOptions } from './follower';
export { type LogHandle, type NativeHandle } from './handle';
export { parseRecord, type ParseOptions } from './parse-record';
export {
  type BigIntArray,
  type BigIntScalarType,
  type FieldType,
  type NumberArray,
  type NumberScalarType,
  type ScalarArrays,
  type ScalarType,
  type VariableType,
} from './scalar';
export {
  type ArrayOf,
  type BigIntLogOptions,
  type CodecLogOptions,
  type ColumnOf,
  type CommonLogOptions,
  type FieldArrayOf,
  type LogOptions,
  type MappingMode,
  type NumberLogOptions,
  type RecordLogOptions,
  type RecordOf,
  type ScalarOf,
  type Schema,
  type ValueOf,
  type VariableSizeOptions,
} from './schema';
export { type SegmentError } from './segment-errors';
export { type SegmentOptions } from './segment-options';
export { SegmentReader, type ReadHint, type SegmentReaderOptions } from './segment-reader';
export { SegmentRecord } from './segment-record';
export { SegmentTail, type SegmentFollowOptions, type SegmentTailOptions } from './segment-tail';
export {
  SegmentWriter,
  type Appended,
  type Compression,
  type SegmentCreateOptions,
  type SegmentEntry,
  type SegmentOpenOptions,
  type SegmentRecoveryReport,
} from './segment-writer';
export { Snapshot, type SnapshotChange } from './snapshot';
export { type FollowerStats, type LogStats, type ReaderStats } from './stats';
export { type Span } from './span';
export { AtomicLog, type AtomicLogConstructor, type ClaimedLog } from './typed-log';
export { VarColumn } from './var-column';
export { Wal, type AppendOptions } from './wal';
export { type WalEntry, type WalRange } from './wal-entries';
export { type WalPosition } from './wal-position';
export { type WalError } from './wal-errors';
export { type WalFollowOptions } from './wal-follower';
export { type CommitPolicy, type Durability, type WalFile, type WalOptions } from './wal-options';
export { WalReader, type WalReaderOptions } from './wal-reader';
export { type WalRecovery, type WalStats } from './wal-reports';
export { salvage, type LostEntries, type Salvage } from './wal-salvage';
export { Writer } from './writer';
