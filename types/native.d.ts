/**
 * What the addon (src-native/binding) offers to lib/. Internal: nothing here is
 * public API. Numbers stand for uint32 or for exact integers below 2^53; those
 * with a meaning of their own, and positions in arrays, are in lib/base/codes.ts,
 * which is written from the C++ headers.
 */
import type {
  Arrival,
  Compression,
  Crc32Kind,
  IoCode,
  Mismatch,
  Outcome,
  ReadHint,
  SharedOpenMode,
  SharedOutcome,
  WalCursorVerdict,
  WalLevel,
  WalRow,
} from '../lib/base/codes';

/** What was asked for, or a Status of codes.ts, below zero. */
export type NativeStatus = number;

/** What an environment's attachment to a log is, and what never changes of the log. */
export interface NativeLogDescription {
  /** What the functions of NativeLogs call the attachment until it is closed. */
  readonly slot: number;
  readonly id: number;
  /** 32 hexadecimal digits. */
  readonly token: string;
  readonly descriptor: string;
  readonly retainedCapacity: number;
  readonly segmentCapacity: number;
  readonly retainedSegments: number;
  /**
   * Whether the blocks lie in a SharedArrayBuffer: block `id` begins at `id * strideBytes`. Of a log that processes
   * share: whether they can be shown in one only.
   */
  readonly isShared: boolean;
  readonly strideBytes: number;
  /** Bytes of one block. */
  readonly blockBytes: number;
  /**
   * Byte offset of each column in a block: one per field of fixed size, then
   * offsets and data of each field of variable size. The published word stands
   * at 0.
   */
  readonly columnOffsets: readonly number[];
}

/** `log` is a slot; a call with one that was closed does nothing. */
export interface NativeLogs {
  /**
   * Pins every segment of the window from sequence `floor` on, ascending and
   * without a gap, and writes the SegmentFields of each into `out`, which
   * has room for retainedSegments of them. Returns how many.
   */
  pinWindow(log: number, floor: number, out: Float64Array): number;
  /** Returns one pin of segment `id`. */
  unpin(log: number, id: number): void;
  /**
   * Hands one pin of segment `id` to the buffer that was mapped or adopted with
   * `key`, whose collection returns it.
   */
  leavePinToMapping(log: number, id: number, key: number): void;
  /**
   * A new ArrayBuffer over the columns of a pinned segment, that is its block from
   * the first column on; null where external memory cannot be mapped. `key`, a
   * uint32, must be new to this attachment. The block goes to no other log before
   * the ArrayBuffer is collected.
   */
  map(log: number, id: number, key: number): ArrayBuffer | null;
  /** The same over the whole block, for the library's own use: it must not be used when the log was closed. */
  mapBlock(log: number, id: number): ArrayBuffer | null;
  /** As map(), for a SharedArrayBuffer that holds the block already. */
  adopt(log: number, id: number, key: number, buffer: SharedArrayBuffer): void;
  /**
   * Of a log that processes share: lays its blocks over `memory`, which is all of a SharedArrayBuffer of `shownBytes`
   * that never grows. Until the log is closed here they are shown there and by adopt() only, and zeros after that.
   * IoCode.unsupported where memory of the engine cannot be mapped over.
   */
  layOver(log: number, memory: Uint8Array): IoCode;
  /** What is kept of a segment that is not pinned here is dropped. */
  forget(log: number, id: number): void;
  /** Of a log that is read only: its copy of the head gets what was published since. */
  catchUp(log: number): void;
  /** Of a log that processes share: the slots of those that live. */
  livingSlots(log: number): NativeLivingSlot[];
  /** Writes the BoundsFields of the window. */
  bounds(log: number, out: Float64Array): undefined | false;
  stats(log: number): NativeStats;
  isClaimed(log: number): boolean;
  hasEnded(log: number): boolean;
  /** Whether the path of a log that processes share leads to another file by now, or to none. Asks the file system. */
  isReplaced(log: number): boolean;
  /**
   * Has dispatch called with `id` once entry `index` is readable or the log has
   * ended. False, and nothing is registered, when that is so already. Every id
   * that was registered must go to cancelWait(), woken or not.
   */
  waitForIndex(log: number, id: number, index: number): boolean;
  /** The same for the claim becoming free, or the end. */
  waitForClaim(log: number, id: number): boolean;
  /** Has dispatch called with `id` when a thread calls request(), once. */
  waitForRequest(log: number, id: number): void;
  /** Wakes those that provide what readers cannot get by themselves. */
  request(log: number): void;
  cancelWait(log: number, id: number): void;
  /** Blocks until entry `index` is readable, the log has ended, no one has the claim if that counts, or the time is over. */
  waitSlice(log: number, index: number, milliseconds: number, orUnclaimed: boolean): Arrival;
  /** For statistics: follower `id` of this environment delivers `nextIndex` next. */
  follow(log: number, id: number, nextIndex: number): void;
  unfollow(log: number, id: number): void;
  /** For statistics: what this environment calls itself. */
  nameReader(log: number, name: string): void;
  /** What native code attaches with (include/atomic_log/node_api.h); null when the runtime fails. */
  nativeHandle(log: number): object | null;
  /** The writer's slot, or null; of a log that processes share also a status, below zero. */
  tryClaim(log: number): number | null;
  /** Returns every pin and leaves the log; `memory` is its shared storage. Idempotent. */
  close(log: number, memory?: Uint8Array): void;
}

/** As {@link NativeLogDescription}, for a log that processes share. */
export interface NativeSharedLogDescription extends NativeLogDescription {
  readonly isReadOnly: boolean;
  /** Whether waiters are woken when something is published; else they look again and again. */
  readonly wakesAtOnce: boolean;
  /** Whether the file was made before the system was started last. */
  readonly isOfEarlierRun: boolean;
  readonly readersMax: number;
  readonly extraSegments: number;
  /** What layOver() needs; 0 when it cannot be. */
  readonly shownBytes: number;
  /** Where the first block is there; the next follows `strideBytes` after it. */
  readonly blocksAt: number;
}

export interface NativeSharedOpening {
  path: string;
  mode: SharedOpenMode;
  /** Of a new file, as chmod takes them. */
  permissions: number;
  allowsOtherOwner: boolean;
  /** Not the log with this id; empty: any. */
  otherThan: string;
  // The others are not needed to join, or to read.
  retainedCapacity: number;
  segmentCapacity: number;
  firstIndex: number;
  readersMax: number;
  extraSegments: number;
  descriptor: string;
  elementBytes: Uint32Array;
  dataBytes: Uint32Array;
}

/** Why a log that processes share was not opened. */
export interface NativeSharedFailure {
  outcome: SharedOutcome;
  mismatch: Mismatch;
  /** What the file has, where `mismatch` says so. */
  found: number;
  io: IoCode;
  /** errno. */
  systemError: number;
  operation: string;
}

export interface NativeLivingSlot {
  slot: number;
  /** Id of its process; 0 when that is of another namespace, or not known. */
  process: number;
  /** Whether it is this process's. */
  isOwn: boolean;
  isWriter: boolean;
  /** Segments outside of the window that its process pins. */
  pinnedSegments: number;
}

export interface NativeStats {
  segments: number;
  retained: number;
  idle: number;
  decommitted: number;
  fresh: number;
  recycled: number;
  rolls: number;
  earlySeals: number;
  /** Segments pinned by this environment. */
  pinnedHere: number;
  readers: NativeReaderStats[];
}

export interface NativeReaderStats {
  /** The threadId of worker_threads; 2 ** 32 - 1 for native code. */
  thread: number;
  /** Empty when it was given none. */
  name: string;
  /** Segments that it pins, inside the window or not. */
  pinned: number;
  /** Index of the next entry of each of its followers. */
  followers: number[];
}

/** `writer` is a slot; a call with one that was closed does nothing. */
export interface NativeWriters {
  /** StagedCells, for publish(): the writer's slot and the count. */
  readonly staged: Uint32Array;
  /** Makes the entries of the staged writer's head below the staged count readable. */
  publish(): void;
  /** Publishes `count` entries, seals the head, begins the next segment; returns its id, or a status. */
  roll(writer: number, count: number): NativeStatus;
  /** A new ArrayBuffer over the head's columns, as NativeLogs.map(); null where external memory cannot be mapped. */
  map(writer: number): ArrayBuffer | null;
  /** As NativeLogs.mapBlock(), for the head. */
  mapBlock(writer: number): ArrayBuffer | null;
  /** All of the shared storage that may be touched now, after it has grown. */
  commit(writer: number, memory: Uint8Array): void;
  /** Writes the SegmentFields of the head. */
  head(writer: number, out: Float64Array): void;
  /** Ends the log for good: no more entries, no more claims. Publish first. */
  end(writer: number): void;
  /** Releases the claim. Idempotent. */
  close(writer: number): void;
}

/** Why an operation on a segment file or a write-ahead log failed. */
export interface NativeFailure {
  outcome: Outcome;
  io: IoCode;
  /** errno, or GetLastError on Windows; 0 when the system said nothing. */
  systemError: number;
  /** The system call. */
  operation: string;
  path: string;
  offset: number;
  value: number;
  detail: string;
}

/** What was asked for, or an Outcome, below zero; failure() has the details. */
export type NativeOutcome = number;

export interface NativeRecovery {
  records: number;
  endOffset: number;
  quarantinedBytes: number;
  validBytesAfter: number;
  quarantinePath: string;
}

export interface NativeSegmentWriter {
  readonly size: number;
  /** Of openSegment only. */
  readonly recovery?: NativeRecovery;
  // The first argument of these is how far `buffer` is filled: records that were
  // put there since the last call begin with the length of what comes after their
  // eight bytes of head, and the rest of the head is filled in there.
  /** Appends one record, compressed where asked for and worth it; its offset or an outcome. */
  append(filled: number, header: Uint8Array, data: Uint8Array, compresses: boolean): number;
  /** Appends records that lie in `bytes` one after the other; the offset of the first or an outcome. */
  appendPacked(filled: number, bytes: Uint8Array, lengths: Uint32Array): number;
  flush(filled: number): NativeOutcome;
  /** The flushed offset or an outcome. */
  syncSync(): number;
  /** The same on the thread pool; undefined when the runtime refuses. */
  sync(): Promise<number> | undefined;
  setLength(offset: number): NativeOutcome;
  /** On the thread pool, one change at a time and nothing else meanwhile; undefined when the runtime refuses. */
  setLengthLater(offset: number): Promise<NativeOutcome> | undefined;
  replaceHeader(offset: number, header: Uint8Array): NativeOutcome;
  replaceHeaderLater(offset: number, header: Uint8Array): Promise<NativeOutcome> | undefined;
  readApplicationHeader(target: Uint8Array): NativeOutcome;
  writeApplicationHeader(at: number, bytes: Uint8Array): NativeOutcome;
  writeOffset(): number;
  /** How far `buffer` is filled now. */
  buffered(): number;
  /** A reader of the same open file, without a limit. Close it before the writer. */
  reader(): NativeSegmentReader;
  /** Also of a writer that is closed. */
  failure(): NativeFailure;
  /**
   * A last sync; the flushed offset or an outcome, which syncs that are under way
   * resolve with too. The lock is released either way. Idempotent.
   */
  closeSync(): number;
  /** Releases the lock; no sync is under way. Idempotent. */
  release(): void;
}

export interface NativeSegmentReader {
  readonly size: number;
  /**
   * Finds records from `offset` on: one, or for sequential reading as many as are
   * at hand. Returns how many, or an outcome; writes the length word of each, and
   * the FoundFields of all.
   */
  read(offset: number, hint: ReadHint, lengthWords: Uint32Array, found: Float64Array): number;
  /** Copies what the last read() has found; false when it does not fit. */
  copy(target: Uint8Array): boolean;
  readBytes(offset: number, target: Uint8Array): NativeOutcome;
  prefetch(offset: number): void;
  /** Fails when the path names another file by now, or none. */
  checkPlace(): NativeFailure | undefined;
  /** Where reading ends at present. */
  limit(): number;
  /** A new ArrayBuffer over the mapping; null where there is none. */
  mapping(): ArrayBuffer | null;
  /** A reader of the same open file and mapping. */
  clone(cells: BigInt64Array | null): NativeSegmentReader;
  failure(): NativeFailure;
  /** Idempotent. */
  close(): void;
}

/** core/durable/segment/segment_recovery.h. */
export interface NativeSegmentScan {
  size: number;
  records: number;
  endOffset: number;
  /** After the last byte that is not zero; `endOffset` for a clean end. */
  nonzeroEnd: number;
  /** Bytes of intact records between the two. */
  validBytesAfter: number;
}

/** What opening a write-ahead log has found: core/durable/wal/wal_classify.h. */
export interface NativeWalRecovery {
  row: WalRow;
  records: number;
  quarantinedBytes: number;
  /** Torn bytes that are gone, because the disk is full. */
  discardedBytes: number;
  /** Where the newest file ended, quarantined or not, and the LSN that comes next. */
  endOffset: number;
  endLsn: number;
  quarantinePath: string;
}

/** Entries in a row. */
export interface NativeWalChunk {
  data: Uint8Array;
  /** EntryFields of each entry. */
  index: Float64Array;
  /** PastFields of each place where the past changes, the first entry's first. */
  pasts: Float64Array;
}

/** What can still be read of a damaged log. */
export interface NativeWalRemains {
  logId: Uint8Array;
  /** What the log was created with. */
  metadata: Uint8Array;
  /** Of its longest file. */
  segmentBytes: number;
  oldestLsn: number;
  /** FileFields of each file. */
  files: Float64Array;
}

/** Intact entries of one file; their LSNs may repeat, and leave gaps. */
export interface NativeWalSalvaged extends NativeWalChunk {
  /** Where to go on; 0 at the end. */
  nextOffset: number;
}

/** What reads entries, next to the writer or without it. */
export interface NativeWalEntries {
  /** Entries from `from` to `to` and at most about `bytesMax` of data, but one at least. */
  read(from: number, to: number, bytesMax: number): NativeWalChunk | NativeFailure;
  /** An LSN at or below `lsn`, from where reading begins at once. */
  seekPoint(lsn: number): number | NativeFailure;
  /** Whether the entry is there, with this past. */
  checkPast(lsn: number, epoch: number, branch: number): NativeFailure | undefined;
  /** Writes FilesAfterFields. */
  filesAfter(file: number, into: Float64Array): NativeFailure | undefined;
  /** FileFields of each file, oldest first. */
  files(): Float64Array | NativeFailure;
}

export interface NativeWal extends NativeWalEntries {
  readonly recovery: NativeWalRecovery;
  readonly metadata: Uint8Array;
  /** 16 bytes. */
  readonly logId: Uint8Array;
  readonly entryBytesMax: number;
  /**
   * Hands entries to the committer: entry i is the next lengths[i] of the first
   * `bytes` bytes of `data`. None: a sync. Returns the bytes in its queue.
   */
  submit(
    level: WalLevel,
    isBatch: boolean,
    expectedLsn: number,
    data: Uint8Array,
    bytes: number,
    lengths: Uint32Array,
    count: number,
  ): number;
  /** CompletionFields of each submission that is done, in order. */
  takeCompletions(): (number | NativeFailure | undefined)[];
  /** Hands the committer what fileKept(lsn) does; it completes with the number. */
  submitFileKept(lsn: number, passesCursors: boolean): void;
  /** The same for checkpoint(); closeDeleted() is to be called afterwards. */
  submitCheckpoint(lsn: number, passesCursors: boolean, keptFile: number): void;
  submitTruncation(lsn: number): void;
  /** The same for what close() has to write; nothing is left for it to wait for then. */
  submitFinish(): void;
  /** Closes the files that a checkpoint deleted, so that the disk has their space. */
  closeDeleted(): void;
  /** Does now, on this thread, what is queued. */
  commit(): void;
  /** As submit(), on this thread, after what is queued; the first LSN or an outcome. */
  appendNow(
    level: WalLevel,
    isBatch: boolean,
    expectedLsn: number,
    data: Uint8Array,
    bytes: number,
    lengths: Uint32Array,
    count: number,
  ): number;
  /** Entry i is the next lengths[i] of the first `bytes` bytes of `data`; they are written, in the room that is secured. */
  writeStaged(data: Uint8Array, bytes: number, lengths: Uint32Array, count: number): NativeOutcome;
  /** Secures room for writeStaged(), until anything else is called that writes, and writes SecuredFields. */
  secure(into: Float64Array): void;
  /** The last durable LSN or an outcome. */
  sync(): number;
  /** The number of the first file that checkpoint(lsn) would keep. */
  fileKept(lsn: number, passesCursors: boolean): number;
  /** Deletes only files with numbers below `keptFile`. */
  checkpoint(lsn: number, passesCursors: boolean, keptFile: number): NativeOutcome;
  /** Makes the place for cursors, where it is missing. */
  makeCursors(): NativeOutcome;
  truncateAfter(lsn: number): NativeOutcome;
  /** Of what is durable when it is completed; the first step is not taken before. */
  submitBackup(directory: string): NativeWalBackup;
  /** Writes WalCounters. */
  counters(into: Float64Array): void;
  failure(): NativeFailure;
  /** A last sync; the log is released either way. */
  close(): NativeOutcome;
}

/** A copy of a log that is being made. */
export interface NativeWalBackup {
  /** A BackupStep, or an outcome below zero. One at a time. */
  step(): Promise<number> | undefined;
  failure(): NativeFailure;
}

export interface NativeWalReader extends NativeWalEntries {
  /** Finds out what there is, and writes WalShownFields. */
  refresh(into: Float64Array): NativeFailure | undefined;
  metadata(): Uint8Array;
  /** 16 bytes; undefined while there is no log. */
  logId(): Uint8Array | undefined;
  /** Releases the files. */
  close(): void;
}

/** What a cursor is opened, or deleted, with. */
export interface NativeWalCursorOptions {
  /** The log's directory. */
  path: string;
  name: string;
  resets: boolean;
  processId: number;
}

/** A cursor that is open. */
export interface NativeWalCursor extends NativeWalCursorState {
  /**
   * Of an entry that is on disk when it is not above `durableLsn`. Nothing is done
   * when a call with a higher `order` was carried out.
   */
  commit(
    lsn: number,
    epoch: number,
    branch: number,
    durableLsn: number,
    order: number,
  ): NativeFailure | undefined;
  /** The same on the thread pool. */
  commitLater(
    lsn: number,
    epoch: number,
    branch: number,
    durableLsn: number,
    order: number,
  ): Promise<NativeFailure | undefined> | undefined;
  /** Whether it was there; it is closed then. */
  remove(): boolean | NativeFailure;
  removeLater(): Promise<boolean | NativeFailure> | undefined;
  /** Waits for what is under way. Idempotent. */
  close(): void;
}

/** Where a cursor stands, when it was opened or listed. */
export interface NativeWalCursorState {
  /** 16 bytes. */
  logId: Uint8Array;
  lsn: number;
  /** 0: before entry lsn + 1. */
  epoch: number;
  branch: number;
}

export interface NativeWalCursorInfo extends NativeWalCursorState {
  name: string;
  verdict: WalCursorVerdict;
  /** Why it cannot be read; then the verdict and the state mean nothing. */
  failure?: NativeFailure;
  /** Process that has it open; 0: none, or it is not known. */
  holder: number;
}

/** How a write-ahead log is opened. */
export interface NativeWalOptions {
  path: string;
  /** 0: as the newest file. */
  segmentBytes: number;
  firstLsn: number;
  metadata: Uint8Array;
  /** 16 bytes: the id of a log that is created. */
  newLogId: Uint8Array;
  /** 8 bytes, random: what the branches of this opening are drawn from. */
  branchSeed: Uint8Array;
  isTailStrict: boolean;
  verifies: boolean;
  processId: number;
  commitCount: number;
  commitBytes: number;
  commitWaitUs: number;
  /** Is woken when there are completions. */
  waiterId: number;
}

/** Which entries of a damaged log are read. */
export interface NativeWalSalvaging {
  path: string;
  /** Its number. */
  file: number;
  logId: Uint8Array;
  /** An offset; 1: from the first record on. */
  from: number;
  bytesMax: number;
}

/** What one must know to read a segment file. */
export interface NativeSegmentFormat {
  startOffset: number;
  headerSize: number;
  checksum: Crc32Kind;
}

export interface NativeSegmentCreation extends NativeSegmentFormat {
  path: string;
  size: number;
  /** Those of a FlushedOffset; they must live as long as the writer. */
  cells: BigInt64Array;
  /** Where records are collected: kBufferBytes that must live as long as the writer. */
  buffer: Uint8Array;
}

export interface NativeSegmentOpening extends NativeSegmentFormat {
  path: string;
  /** null: any. */
  size: number | null;
  durableOffset: number;
  isSealed: boolean;
  discardUnreadable: boolean;
  cells: BigInt64Array;
  buffer: Uint8Array;
}

export interface NativeSegmentReading extends NativeSegmentFormat {
  path: string;
  isMapped: boolean;
  /** null: everything is read. */
  cells: BigInt64Array | null;
}

/** How large a log in memory is. */
export interface NativeLogSize {
  retainedCapacity: number;
  segmentCapacity: number;
  /** One element per field of fixed size. */
  elementBytes: Uint32Array;
  /** One per field of variable size. */
  dataBytes: Uint32Array;
}

export interface NativeLogOptions extends NativeLogSize {
  descriptor: string;
  /** The Kind of each column, and its name; for native producers and consumers. */
  columnTypes: Uint32Array;
  columnNames: readonly string[];
  /** Infinity for no limit. */
  pinnedBytesMax: number;
  /** Of the first entry that will be appended. */
  firstIndex: number;
  /** Whether the log ends when its first claim is released. */
  endsWithWriter: boolean;
  /** All that may be touched of the storage that the log is to use; null: the addon takes memory of its own. */
  memory: Uint8Array | null;
  /** How far the storage may grow. */
  memoryBytesMax: number;
}

/**
 * Functions with more than four arguments take one object, of which every member
 * must be there: the addon throws a TypeError otherwise. Those that are called
 * for every entry, or commit, have positions all the same: a member costs several
 * times what an argument does.
 */
export interface NativeAddon {
  /** Names this process's registry of logs; another process or another copy of the addon has another. */
  readonly registryNonce: string;
  /** Functions of attachments, and of claims: one for all, so that nothing waits for a finalizer. */
  readonly logs: NativeLogs;
  readonly writers: NativeWriters;
  openSharedLogSync(options: NativeSharedOpening): NativeSharedLogDescription | NativeSharedFailure;
  /** The same on the thread pool; undefined when the runtime refuses. */
  openSharedLog(
    options: NativeSharedOpening,
  ): Promise<NativeSharedLogDescription | NativeSharedFailure> | undefined;
  /** Null when it was done. */
  unlinkSharedLogSync(path: string): NativeSharedFailure | null;
  /** The same on the thread pool; undefined when the runtime refuses. */
  unlinkSharedLog(path: string): Promise<NativeSharedFailure | null> | undefined;
  /** One that this process has open, or null. */
  attachSharedLog(id: number, token: string): NativeSharedLogDescription | null;
  createLog(options: NativeLogOptions): NativeLogDescription | NativeStatus;
  /** `memory` is needed by a log whose storage is shared, and must be that log's own. */
  attachLog(id: number, token: string, memory?: Uint8Array): NativeLogDescription | NativeStatus;
  /** What such a log needs of shared storage: room for its segments, each so many bytes after the last. */
  measureLog(size: NativeLogSize): { retainedSegments: number; strideBytes: number } | NativeStatus;
  /** Whether this runtime maps external memory. */
  canMapExternal(): boolean;
  /** Takes the memory from every view of an ArrayBuffer: their length is 0 from now on. */
  detach(buffer: ArrayBuffer): void;
  /** `target.set(source, at)` for two of the same kind; false, and nothing was copied, when it does not fit. */
  copyElements(target: ArrayBufferView, at: number, source: ArrayBufferView): boolean;
  /** Bytes of address space taken for blocks, and bytes of those without an owner. */
  blockUsage(): { mapped: number; idle: number };
  /** Once per environment, before the first wait: `dispatch` is told which waiters were woken. */
  startWaker(dispatch: (ids: number[]) => void): void;
  /** Whether waiters keep the event loop alive. */
  referenceWaker(isReferenced: boolean): void;
  createSegmentSync(options: NativeSegmentCreation): NativeSegmentWriter | NativeFailure;
  openSegmentSync(options: NativeSegmentOpening): NativeSegmentWriter | NativeFailure;
  /** The same on the thread pool; undefined when the runtime refuses. */
  createSegment(options: NativeSegmentCreation): Promise<NativeSegmentWriter | NativeFailure> | undefined;
  openSegment(options: NativeSegmentOpening): Promise<NativeSegmentWriter | NativeFailure> | undefined;
  openSegmentReader(options: NativeSegmentReading): NativeSegmentReader | NativeFailure;
  /** What the file holds, as opening it for writing would find it; changes nothing. */
  scanSegment(options: NativeSegmentFormat & { path: string }): NativeSegmentScan | NativeFailure;
  /** Whether no one reads any more what is written to the pipe `fd`; false where that cannot be known. */
  isReaderGone(fd: number): boolean;
  /** Whether a writer has the file locked, in any process; false where that cannot be known. Takes no lock. */
  isFileLocked(path: string): boolean;
  openWalSync(options: NativeWalOptions): NativeWal | NativeFailure;
  /** The same on the thread pool; undefined when the runtime refuses. */
  openWal(options: NativeWalOptions): Promise<NativeWal | NativeFailure> | undefined;
  openWalCursorSync(options: NativeWalCursorOptions): NativeWalCursor | NativeFailure;
  openWalCursor(options: NativeWalCursorOptions): Promise<NativeWalCursor | NativeFailure> | undefined;
  /** Whether it was there. */
  deleteWalCursorSync(options: NativeWalCursorOptions): boolean | NativeFailure;
  deleteWalCursor(options: NativeWalCursorOptions): Promise<boolean | NativeFailure> | undefined;
  listWalCursors(path: string): NativeWalCursorInfo[] | NativeFailure;
  openWalReader(path: string, isIntact: boolean): NativeWalReader;
  /** Reads everything as a writer would that opens the log; the row it would find. */
  verifyWal(path: string): WalRow | NativeFailure;
  findWalRemains(path: string): NativeWalRemains | NativeFailure;
  salvageWalFile(options: NativeWalSalvaging): NativeWalSalvaged | NativeFailure;
  /** The length word of the record at `offset`, or an outcome. */
  parseRecord(bytes: Uint8Array, offset: number, headerSize: number, checksum: Crc32Kind): number;
  /** Of the package that it was built from. */
  readonly version: string;
  /** Whether zstd was built in. */
  readonly hasCompression: boolean;
  /** Of the stored data of a record, the original size included. */
  decompress(stored: Uint8Array, target: Uint8Array): Compression;
  /** Once per environment: what statistics call it. */
  setThreadId(threadId: number): void;
  /** For benchmarks: a call that does nothing. */
  doNothing(): void;
}
