/**
 * AtomicLog as it is exported: the class, with a constructor that tells the element
 * type by the options, which a class cannot. In a module of its own, so that the class
 * has its public name too: the runtime's own errors print it.
 */
import { AtomicLog as UntypedLog } from './atomic-log';
import type { LogHandle } from './handle';
import type { AttachOptions, RecordAttachOptions } from './open-log';
import type { BigIntScalarType, NumberScalarType } from '../base/scalar';
import type { BigIntLogOptions, CodecLogOptions, NumberLogOptions, RecordLogOptions } from './options';
import type { RecordOf, ScalarOf, Schema } from './schema';
import type { Writer } from './writer';

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
   * one it has.
   *
   * ```ts
   * const log = AtomicLog.attach(workerData, { schema: trades, name: 'statistics' });
   * ```
   *
   * @throws `ERR_INVALID_HANDLE`, `ERR_FOREIGN_HANDLE`, `ERR_LOG_GONE`,
   * `ERR_SCHEMA_MISMATCH`, `ERR_CODEC_MISMATCH`, `ERR_INVALID_ARG_TYPE`,
   * `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
   */
  attach<S extends Schema>(handle: LogHandle, options: RecordAttachOptions<S>): AtomicLog<RecordOf<S>>;
  attach<T>(handle: LogHandle<T>, options?: AttachOptions<T>): AtomicLog<T>;
}

export type AtomicLog<T> = UntypedLog<T>;
export const AtomicLog = UntypedLog as unknown as AtomicLogConstructor;
