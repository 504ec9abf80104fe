/**
 * The numbers that cross between C++ and TypeScript. Written by
 * scripts/build-codes.mjs from the headers of src-native, which each is named
 * after: change them there, then `npm run build:codes`.
 */

/** core/base/status.h */
export const Status = {
  ok: 0,
  /** The system refused memory for a block, a control block or a ring. */
  outOfMemory: 1,
  /** A count, capacity or index is outside what the operation allows. */
  outOfRange: 2,
  /** The log that a handle names is not alive any more. */
  gone: 3,
  /** The handle names a log, but does not carry that log's token. */
  foreign: 4,
  /** Readers pin more memory than the log's limit allows. */
  pinned: 5,
  /** The log's storage must be committed further first. */
  uncommitted: 6,
  /** The memory that processes share holds what none of them may have stored. */
  damaged: 7,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** core/base/crc32.h */
export const Crc32Kind = {
  castagnoli: 0,
  isoHdlc: 1,
} as const;
export type Crc32Kind = (typeof Crc32Kind)[keyof typeof Crc32Kind];

/** core/memory/column_kind.h */
export const ColumnKind = {
  f64: 0,
  f32: 1,
  i8: 2,
  u8: 3,
  i16: 4,
  u16: 5,
  i32: 6,
  u32: 7,
  i64: 8,
  u64: 9,
  utf8: 10,
  bytes: 11,
} as const;
export type ColumnKind = (typeof ColumnKind)[keyof typeof ColumnKind];

/** core/memory/published_word.h: kCountMax */
export const COUNT_MASK = 2147483647;

/** core/memory/block_layout.h: kCacheLineBytes */
export const CACHE_LINE_BYTES = 64;

/** core/memory/block_layout.h: kBlockBytesMax */
export const BLOCK_BYTES_MAX = 4294967296;

/** core/memory/block_layout.h: kFieldCountMax */
export const FIELDS_MAX = 4096;

/** core/memory/block_layout.h: kDescriptorBytesMax */
export const DESCRIPTOR_BYTES_MAX = 1048576;

/** core/memory/block_layout.h: kDataBytesMax */
export const COLUMN_DATA_BYTES_MAX = 2147483647;

/** core/memory/rolling_log.h: kRetainedSegmentsMax */
export const RETAINED_SEGMENTS_MAX = 1048576;

/** core/memory/reader_list.h: kNative */
export const NATIVE_THREAD = 4294967295;

/** core/memory/blocking_wait.h */
export const Arrival = {
  /** not there yet */
  pending: 0,
  /** entry can be read (or could, if it has left the window) */
  ready: 1,
  /** the log has ended, and the entry will never come */
  ended: 2,
} as const;
export type Arrival = (typeof Arrival)[keyof typeof Arrival];

/** core/shared_memory/shared_format.h: kReadersMaxMax */
export const READERS_MAX_MAX = 1024;

/** core/shared_memory/shared_format.h: kSegmentsMax */
export const SHARED_SEGMENTS_MAX = 1048576;

/** core/shared_memory/shared_format.h */
export const Mismatch = {
  none: 0,
  /** not such a file */
  magic: 1,
  /** of a machine with another byte order */
  byteOrder: 2,
  /** another layout; found says which */
  version: 3,
  /** the header is damaged */
  checksum: 4,
  /** the header contradicts itself */
  sizes: 5,
  /** the file is shorter than it says: found, in bytes */
  fileBytes: 6,
  /** of an earlier run of the system */
  boot: 7,
  /** another user's */
  owner: 8,
  /** the one log that is not meant */
  same: 9,
} as const;
export type Mismatch = (typeof Mismatch)[keyof typeof Mismatch];

/** core/shared_memory/shared_log.h */
export const SharedOutcome = {
  ok: 0,
  /** OpenResult::io has what the system said */
  io: 1,
  /** OpenResult::mismatch has why the file is refused */
  mismatch: 2,
  /** the options are outside the limits */
  outOfRange: 3,
  /** as many processes have the log open as it has slots */
  noSlot: 4,
  /** the memory holds what no one of this protocol stores */
  damaged: 5,
  /** the system refused memory */
  noMemory: 6,
  /** this process holds a segment as often as is counted */
  tooManyPins: 7,
} as const;
export type SharedOutcome = (typeof SharedOutcome)[keyof typeof SharedOutcome];

/** core/shared_memory/shared_log.h */
export const SharedOpenMode = {
  join: 0,
  createOrJoin: 1,
  create: 2,
  /** also one of an earlier run of the system */
  readOnly: 3,
  /** As kCreateOrJoin, but one that has ended gives way to a new one, whatever its options. */
  replaceEnded: 4,
  /** as kReadOnly, with copies that lay_over() can show */
  readOnlyInFile: 5,
} as const;
export type SharedOpenMode = (typeof SharedOpenMode)[keyof typeof SharedOpenMode];

/** core/platform/io_status.h */
export const IoCode = {
  ok: 0,
  notFound: 1,
  exists: 2,
  denied: 3,
  /** A directory, a pipe, a device. */
  notAFile: 4,
  noSpace: 5,
  /** Another handle holds the lock. */
  locked: 6,
  unsupported: 7,
  /** The system starts no more threads. */
  noThread: 8,
  /** The process, or the system, has as many files open as it may; it passes. */
  noDescriptor: 9,
  /** Anything else; system_error says what. */
  failed: 10,
  /** The system refused memory; it passes. */
  noMemory: 11,
} as const;
export type IoCode = (typeof IoCode)[keyof typeof IoCode];

/** core/durable/outcome.h */
export const Outcome = {
  ok: 0,
  /** The system refused something; Failure::io. */
  io: 1,
  /** Another writer has the file. */
  locked: 2,
  /** The file is not what the options say it is. */
  format: 3,
  /** Records that are known to have been durable are damaged. */
  corrupt: 4,
  /** An earlier write or sync failed. */
  poisoned: 5,
  /** No room; Failure::value is what there is. */
  full: 6,
  /** An offset outside of what may be asked for; Failure::value is the limit. */
  outOfRange: 7,
  /** Eight zero bytes: the log ends there. */
  noRecord: 8,
  /** No intact record is at the offset. */
  checksum: 9,
  /** The LSN that the caller expects is not the next; Failure::value is. */
  lsnMismatch: 20,
  /** An entry or a batch that no file can take; Failure::value is the limit. */
  tooLarge: 21,
  /** The log was closed. */
  closed: 22,
  /** The newest file ends in a torn record, and strict_tail refuses that. */
  tornTail: 23,
  /** A checkpoint dropped the entry; Failure::value is the first one kept. */
  checkpointed: 24,
  /** The directory, or the segment file, is another one than was opened, or is gone. */
  replaced: 25,
  /** What was read before it was proved to be on disk is gone, from the LSN Failure::offset on. */
  takenBack: 26,
  /** The entry of a position is not in the log any more, or is another one; Failure::value is the last there is. */
  truncated: 27,
  /** The last LSN that there is was given out; Failure::value is it. */
  noLsn: 28,
  /** A cursor is damaged, or of another log; Failure::detail. */
  cursorDamaged: 29,
  /** The lock of the cursors is not to be had; Failure::detail. */
  cursorsLocked: 30,
  /** The entry is not known to be on disk; Failure::value is the last that is. */
  notDurable: 31,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** core/durable/record_format.h: kHeadBytes */
export const HEAD_BYTES = 8;

/** core/durable/record_format.h: kCompressedBit */
export const COMPRESSED_BIT = 2147483648;

/** core/durable/record_format.h: kBodyBytesMax */
export const BODY_BYTES_MAX = 2147483647;

/** core/durable/compression.h: kCompressedBytesMin */
export const COMPRESSED_BYTES_MIN = 128;

/** core/durable/compression.h */
export const Compression = {
  done: 0,
  /** It would not be shorter, and the data is better stored as it is; or there is no frame of that size. */
  not: 1,
  noMemory: 2,
} as const;
export type Compression = (typeof Compression)[keyof typeof Compression];

/** core/durable/segment/segment_reader.h */
export const ReadHint = {
  random: 0,
  sequential: 1,
} as const;
export type ReadHint = (typeof ReadHint)[keyof typeof ReadHint];

/** core/durable/wal/wal_format.h: kWalMetadataBytesMax */
export const WAL_METADATA_BYTES_MAX = 3988;

/** core/durable/wal/wal_format.h: kWalBatchItemBytes */
export const WAL_BATCH_ITEM_BYTES = 8;

/** core/durable/wal/wal_format.h: kWalBodyBytesMax */
export const WAL_BODY_BYTES_MAX = 16777216;

/** core/durable/wal/wal_format.h: kWalFileBytesMin */
export const WAL_FILE_BYTES_MIN = 8192;

/** core/durable/wal/wal_format.h: kWalFileBytesMax */
export const WAL_FILE_BYTES_MAX = 1099511627776;

/** core/durable/wal/wal_format.h: kWalLsnMax */
export const WAL_LSN_MAX = 4503599627370496;

/** core/durable/wal/wal_format.h: kWalHeadBytes */
export const WAL_HEAD_BYTES = 40;

/** core/durable/wal/wal_format.h: kWalAlignment */
export const WAL_ALIGNMENT = 8;

/** core/durable/wal/wal_format.h: kWalControlBytes */
export const WAL_CONTROL_BYTES = 56;

/** core/durable/wal/wal_cursors.h */
export const WalCursorVerdict = {
  good: 0,
  /** Damaged, or of another name. */
  bad: 1,
  /** Of a later release. */
  newer: 2,
} as const;
export type WalCursorVerdict = (typeof WalCursorVerdict)[keyof typeof WalCursorVerdict];

/** core/durable/wal/wal_log.h */
export const WalLevel = {
  /** It is in the order of the log. */
  none: 0,
  /** The system has it: it survives the process. */
  system: 1,
  /** The disk has it. */
  disk: 2,
} as const;
export type WalLevel = (typeof WalLevel)[keyof typeof WalLevel];

/** core/durable/wal/wal_writer.h: kWalSecuredEntryBytesMax */
export const WAL_SECURED_ENTRY_BYTES_MAX = 16384;

/** core/durable/wal/wal_rules.h */
export const WalRow = {
  noFiles: 0,
  cleanEnd: 1,
  sealedEnd: 2,
  tornTail: 3,
  unfinishedFile: 4,
  provenDamage: 5,
  damagedOlderFile: 6,
  brokenChain: 7,
  damagedHeader: 8,
  foreignFile: 9,
  newerVersion: 10,
  wrongLength: 11,
  wrongLsn: 12,
} as const;
export type WalRow = (typeof WalRow)[keyof typeof WalRow];

/** binding/functions.h: kNoSlot */
export const NO_SLOT = 4294967295;

/** binding/codes.h */
export const StagedCell = {
  writer: 0,
  count: 1,
} as const;
export type StagedCell = (typeof StagedCell)[keyof typeof StagedCell];
export const STAGED_CELLS = 2;

/** binding/codes.h */
export const SegmentField = {
  id: 0,
  sequence: 1,
  firstIndex: 2,
  /** Readable entries. */
  count: 3,
} as const;
export type SegmentField = (typeof SegmentField)[keyof typeof SegmentField];
export const SEGMENT_FIELDS = 4;

/** binding/codes.h */
export const BoundsField = {
  firstIndex: 0,
  endIndex: 1,
} as const;
export type BoundsField = (typeof BoundsField)[keyof typeof BoundsField];
export const BOUNDS_FIELDS = 2;

/** binding/codes.h */
export const FoundField = {
  /** Of all records. */
  bytes: 0,
  /** 1 when they lie in the mapping. */
  isMapped: 1,
} as const;
export type FoundField = (typeof FoundField)[keyof typeof FoundField];
export const FOUND_FIELDS = 2;

/** binding/codes.h */
export const CompletionField = {
  /** LSN of its first entry, or for a sync the last durable one. */
  first: 0,
  /** Entries that are done. */
  count: 1,
  /** An Outcome, and why the other entries failed. */
  outcome: 2,
  failure: 3,
} as const;
export type CompletionField = (typeof CompletionField)[keyof typeof CompletionField];
export const COMPLETION_FIELDS = 4;

/** binding/codes.h */
export const WalCounter = {
  firstLsn: 0,
  lastLsn: 1,
  ackedLsn: 2,
  durableLsn: 3,
  syncs: 4,
  rotations: 5,
  writtenBytes: 6,
  commits: 7,
  queuedBytes: 8,
  files: 9,
  bytes: 10,
} as const;
export type WalCounter = (typeof WalCounter)[keyof typeof WalCounter];
export const WAL_COUNTERS = 11;

/** binding/codes.h */
export const SecuredField = {
  /** Of records. */
  bytes: 0,
  /** Of the next one. */
  nextLsn: 1,
} as const;
export type SecuredField = (typeof SecuredField)[keyof typeof SecuredField];
export const SECURED_FIELDS = 2;

/** binding/codes.h */
export const WalShownField = {
  firstLsn: 0,
  lastLsn: 1,
  /** Its number. */
  newestFile: 2,
  /** The last LSN that is proved to be on disk. */
  provedLsn: 3,
  /** How often entries were taken back that were not, and the first LSN of the last time. */
  takebacks: 4,
  takenBackFrom: 5,
} as const;
export type WalShownField = (typeof WalShownField)[keyof typeof WalShownField];
export const WAL_SHOWN_FIELDS = 6;

/** binding/codes.h */
export const EntryField = {
  lsn: 0,
  /** Where it is in the data. */
  begin: 1,
  bytes: 2,
  /** First LSN and entries of its batch; 0 and 0 for none. */
  batchFirst: 3,
  batchCount: 4,
} as const;
export type EntryField = (typeof EntryField)[keyof typeof EntryField];
export const ENTRY_FIELDS = 5;

/** binding/codes.h */
export const PastField = {
  lsn: 0,
  epoch: 1,
  branch: 2,
} as const;
export type PastField = (typeof PastField)[keyof typeof PastField];
export const PAST_FIELDS = 3;

/** binding/codes.h */
export const FileField = {
  number: 0,
  /** LSN of its first entry; of a damaged log, 0 where the header is damaged. */
  baseLsn: 1,
  bytes: 2,
  /** Where its records end. */
  endOffset: 3,
} as const;
export type FileField = (typeof FileField)[keyof typeof FileField];
export const FILE_FIELDS = 4;

/** binding/codes.h */
export const FilesAfterField = {
  /** The lowest of them; 2^64: there are none. */
  baseLsn: 0,
  /** Numbers, of the log's newest and oldest file. */
  newest: 1,
  oldest: 2,
} as const;
export type FilesAfterField = (typeof FilesAfterField)[keyof typeof FilesAfterField];
export const FILES_AFTER_FIELDS = 3;

/** binding/codes.h */
export const BackupStep = {
  done: 0,
  more: 1,
} as const;
export type BackupStep = (typeof BackupStep)[keyof typeof BackupStep];
