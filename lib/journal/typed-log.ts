/**
 * AtomicLog as it is exported: the class, with a constructor that tells the element
 * type by the options, which a class cannot, and with open(), which loads what writes to
 * disks when it is first called. In a module of its own, so that the class
 * has its public name too: the runtime's own errors print it.
 */
import { AtomicLog as UntypedLog } from '../memory/atomic-log';
import type { LogHandle } from '../memory/handle';
import type { JournaledLog } from './journaled-log';
import type { JournaledReader } from './journaled-reader';
import type { JournalAttachOptions, JournalOptions } from './options';
import type {
  JoinOptions,
  JoinWaitOptions,
  ProcessOptions,
  ReadOnlyOptions,
  RecordJoinOptions,
} from '../processes/options';
import { loadLate } from '../base/late';
import type { AttachOptions, RecordAttachOptions } from '../memory/open-log';
import type { BigIntScalarType, NumberScalarType } from '../base/scalar';
import type {
  BigIntLogOptions,
  CodecLogOptions,
  NumberLogOptions,
  RecordLogOptions,
} from '../memory/options';
import type { RecordOf, ScalarOf, Schema } from '../memory/schema';
import type { Writer } from '../memory/writer';

/** A log, and its writer. */
export interface ClaimedLog<T> {
  writer: Writer<T>;
  log: AtomicLog<T>;
}

/**
 * The constructor of logs. The element type follows from the options: numbers,
 * bigints (`type: 'i64'`), records (`schema`) or what a `codec` decodes.
 */
export interface AtomicLogConstructor {
  new <K extends NumberScalarType = 'f64'>(options: NumberLogOptions<K>): AtomicLog<ScalarOf<K>>;
  new <K extends BigIntScalarType>(options: BigIntLogOptions<K>): AtomicLog<ScalarOf<K>>;
  new <T>(options: CodecLogOptions<T>): AtomicLog<T>;
  new <S extends Schema>(options: RecordLogOptions<S>): AtomicLog<RecordOf<S>>;
  readonly prototype: AtomicLog<unknown>;
  /** Makes a log and claims its writer at once. */
  claimed<K extends NumberScalarType = 'f64'>(options: NumberLogOptions<K>): ClaimedLog<ScalarOf<K>>;
  claimed<K extends BigIntScalarType>(options: BigIntLogOptions<K>): ClaimedLog<ScalarOf<K>>;
  claimed<T>(options: CodecLogOptions<T>): ClaimedLog<T>;
  claimed<S extends Schema>(options: RecordLogOptions<S>): ClaimedLog<RecordOf<S>>;
  /**
   * The log that a handle names, in this thread. It must be open where the handle
   * was read until this thread has attached. With `schema`, entries and columns
   * have its types, and the log is refused when its columns differ in name, type
   * or order. A log whose codec is your own needs that codec; codecs of one name
   * count as the same, and a thread that has the log open already goes on with the
   * one it has. With `wal`, the directory of a log of {@link open}, followers have what has left
   * the window too.
   *
   * ```ts
   * const log = AtomicLog.attach(workerData, { schema: trades, name: 'statistics' });
   * ```
   *
   * @throws `ERR_INVALID_HANDLE`, `ERR_FOREIGN_HANDLE`, `ERR_LOG_GONE`,
   * `ERR_SCHEMA_MISMATCH`, `ERR_CODEC_MISMATCH`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`; with `wal` also as `WalReader.open()`
   */
  attach<S extends Schema>(
    handle: LogHandle,
    options: RecordAttachOptions<S> & JournalAttachOptions,
  ): JournaledReader<RecordOf<S>>;
  attach<T>(handle: LogHandle<T>, options: AttachOptions<T> & JournalAttachOptions): JournaledReader<T>;
  attach<S extends Schema>(handle: LogHandle, options: RecordAttachOptions<S>): AtomicLog<RecordOf<S>>;
  attach<T>(handle: LogHandle<T>, options?: AttachOptions<T>): AtomicLog<T>;
  /**
   * Opens a log whose entries are in a write-ahead log too, or makes it: the window is
   * made again from the newest entries, and indexes go on. The element type follows
   * from the options as for the constructor; sizes of the window may change from one opening to the next.
   *
   * ```ts
   * await using log = await AtomicLog.open({ wal: 'readings', retainedCapacity: 1000, segmentCapacity: 100 });
   * ```
   *
   * @throws (rejects) `ERR_SCHEMA_MISMATCH`, `ERR_CODEC_MISMATCH` when the entries on disk are of another kind,
   * `ERR_FORMAT` when the directory has a log that was not made by this function: nothing was changed then;
   * `ERR_VALUE_TOO_LARGE` when `dataBytes` has no room for a value on disk; `ERR_CORRUPT`, `ERR_LOCKED`,
   * `ERR_FILE_ACCESS` and all else of `Wal.open()`; as the constructor
   */
  open<K extends NumberScalarType = 'f64'>(
    options: NumberLogOptions<K> & JournalOptions,
  ): Promise<JournaledLog<ScalarOf<K>>>;
  open<K extends BigIntScalarType>(
    options: BigIntLogOptions<K> & JournalOptions,
  ): Promise<JournaledLog<ScalarOf<K>>>;
  open<T>(options: CodecLogOptions<T> & JournalOptions): Promise<JournaledLog<T>>;
  open<S extends Schema>(options: RecordLogOptions<S> & JournalOptions): Promise<JournaledLog<RecordOf<S>>>;
  /**
   * With a path: a log in memory that all processes of this machine share, which is made where there is none. Its
   * memory is a file, best one in `/dev/shm`, that stays until {@link unlink}; one process has the writer, and any of them may be killed at any time.
   *
   * ```ts
   * const log = await AtomicLog.open('/dev/shm/trades', { schema, retainedCapacity: 1e6, segmentCapacity: 1e4 });
   * ```
   *
   * @throws (rejects) `ERR_FORMAT` when what is there is not such a log, or another one than the options say;
   * `ERR_SCHEMA_MISMATCH`, `ERR_CODEC_MISMATCH`, `ERR_FILE_NOT_FOUND`, `ERR_FILE_EXISTS`, `ERR_FILE_ACCESS`,
   * `ERR_NO_SPACE`, `ERR_TOO_MANY_PROCESSES`, `ERR_PLATFORM_UNSUPPORTED`, `ERR_MAPPING_UNAVAILABLE`; as the constructor;
   * with `wait: true` the signal's reason
   */
  open<K extends NumberScalarType = 'f64'>(
    path: string,
    options: ProcessLogOptions<NumberLogOptions<K>>,
  ): Promise<AtomicLog<ScalarOf<K>>>;
  open<K extends BigIntScalarType>(
    path: string,
    options: ProcessLogOptions<BigIntLogOptions<K>>,
  ): Promise<AtomicLog<ScalarOf<K>>>;
  open<T>(path: string, options: ProcessLogOptions<CodecLogOptions<T>>): Promise<AtomicLog<T>>;
  open<S extends Schema>(
    path: string,
    options: ProcessLogOptions<RecordLogOptions<S>>,
  ): Promise<AtomicLog<RecordOf<S>>>;
  open<S extends Schema>(
    path: string,
    options: RecordJoinOptions<S> & JoinWaitOptions,
  ): Promise<AtomicLog<RecordOf<S>>>;
  open<T>(
    path: string,
    options: (JoinOptions<T> | ReadOnlyOptions<T>) & JoinWaitOptions,
  ): Promise<AtomicLog<T>>;
  /** As {@link open}, on this thread. */
  openSync<K extends NumberScalarType = 'f64'>(
    options: NumberLogOptions<K> & JournalOptions,
  ): JournaledLog<ScalarOf<K>>;
  openSync<K extends BigIntScalarType>(
    options: BigIntLogOptions<K> & JournalOptions,
  ): JournaledLog<ScalarOf<K>>;
  openSync<T>(options: CodecLogOptions<T> & JournalOptions): JournaledLog<T>;
  openSync<S extends Schema>(options: RecordLogOptions<S> & JournalOptions): JournaledLog<RecordOf<S>>;
  openSync<K extends NumberScalarType = 'f64'>(
    path: string,
    options: ProcessLogOptions<NumberLogOptions<K>>,
  ): AtomicLog<ScalarOf<K>>;
  openSync<K extends BigIntScalarType>(
    path: string,
    options: ProcessLogOptions<BigIntLogOptions<K>>,
  ): AtomicLog<ScalarOf<K>>;
  openSync<T>(path: string, options: ProcessLogOptions<CodecLogOptions<T>>): AtomicLog<T>;
  openSync<S extends Schema>(
    path: string,
    options: ProcessLogOptions<RecordLogOptions<S>>,
  ): AtomicLog<RecordOf<S>>;
  openSync<S extends Schema>(path: string, options: RecordJoinOptions<S>): AtomicLog<RecordOf<S>>;
  openSync<T>(path: string, options: JoinOptions<T> | ReadOnlyOptions<T>): AtomicLog<T>;
  /**
   * Takes the name of a log that processes share away. Those that have it open keep it, and its memory goes with
   * the last of them; who opens the path after that makes a new one.
   *
   * @throws (rejects) `ERR_FILE_NOT_FOUND`, `ERR_FORMAT` when it is not such a log, `ERR_FILE_ACCESS`, also when it is
   * another user's, `ERR_TOO_MANY_FILES`, `ERR_PLATFORM_UNSUPPORTED`
   */
  unlink(path: string): Promise<void>;
  /** As {@link unlink}, on this thread. */
  unlinkSync(path: string): void;
}

/** Options of a log in memory that processes share. */
export type ProcessLogOptions<O> = Omit<O, keyof ProcessOptions> & ProcessOptions;

export type AtomicLog<T> = UntypedLog<T>;

function journaledLogs(): typeof JournaledLog {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- on demand, and at once for openSync(); by a path that is right in the bundle too
  return loadLate(() => require('../journal/journaled-log') as typeof import('./journaled-log')).JournaledLog;
}

function journaledReaders(): typeof JournaledReader {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as above
  return loadLate(() => require('../journal/journaled-reader') as typeof import('./journaled-reader'))
    .JournaledReader;
}

const untypedAttach = UntypedLog.attach.bind(UntypedLog);

function attach(handle: unknown, options: unknown = {}): unknown {
  const wal = typeof options === 'object' && options !== null && 'wal' in options ? options.wal : undefined;
  return wal === undefined
    ? untypedAttach(handle as LogHandle, options as AttachOptions<unknown>)
    : journaledReaders().over(handle, options, wal);
}

function processLogs(): typeof import('../processes/open') {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- as above
  return loadLate(() => require('../processes/open') as typeof import('../processes/open'));
}

/** A path, or what is meant as one: two arguments, or no object. The other form has one, the options with `wal`. */
const isPath = (first: unknown, options: unknown): boolean =>
  options !== undefined || typeof first !== 'object' || first === null;

const hidden = (value: unknown): PropertyDescriptor => ({ value, writable: true, configurable: true });

export const AtomicLog = Object.defineProperties(UntypedLog, {
  attach: hidden(attach),
  // Async functions, so that what is refused rejects. A path, or the options of a log with a write-ahead log.
  open: hidden(async (first: unknown, options: unknown): Promise<unknown> =>
    isPath(first, options) ? processLogs().openProcessLog(first, options) : journaledLogs().make(first),
  ),
  openSync: hidden((first: unknown, options: unknown): unknown =>
    isPath(first, options)
      ? processLogs().openProcessLogSync(first, options)
      : journaledLogs().makeSync(first),
  ),
  unlink: hidden(async (path: unknown): Promise<void> => processLogs().unlinkProcessLog(path)),
  unlinkSync: hidden((path: unknown): void => processLogs().unlinkProcessLogSync(path)),
}) as unknown as AtomicLogConstructor;
