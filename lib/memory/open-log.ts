/** How this environment comes to the view of a log: by making the log, or by attaching to it. */
import { Status } from '../base/codes';
import { optionsOf } from '../base/checks';
import { coderFor, type Codec } from './codec';
import { invalidType, plainError, rangeError, typeError, type AtomicLogError } from '../base/errors';
import { checkHandle } from './handle';
import { checkColumnsOf, checkNameLength, decodeLayout, encodeLayout, type Layout } from './layout';
import { addon, introduceThread } from '../base/native';
import { NativeLog } from './native-log';
import { checkOptions, type CheckedOptions, type LogOptions } from './options';
import { elementBytes, isVariable } from '../base/scalar';
import { overlayOf } from './overlay';
import { checkSchema, schemaAndCodec, type RecordColumns, type Schema } from './schema';
import { chooseMapping, reserveShared, wholeOf } from './storage';
import { LogView } from './view';

/** Options of {@link AtomicLogConstructor.attach} for every log. */
export interface CommonAttachOptions {
  /**
   * A name for this thread as a reader of the log: `stats().readers` has it, in
   * every thread. When a thread attaches several times, the name that it gave last
   * counts, because its objects share what they pin. At most 1 MiB of UTF-8.
   */
  name?: string;
}

/** Options of {@link AtomicLogConstructor.attach}. */
export interface AttachOptions<T> extends CommonAttachOptions {
  /**
   * The codec of a log that has one, if it is your own: functions do not travel
   * with a handle. Its name must be the one that the log was made with.
   */
  codec?: Codec<T>;
  schema?: undefined;
}

/** Options of {@link AtomicLogConstructor.attach} for a log of records. */
export interface RecordAttachOptions<S extends Schema> extends CommonAttachOptions {
  /** The schema that the log was made with: its columns are compared with it. */
  schema: S;
  codec?: undefined;
}

/** The view of a new log. */
export function viewOfNewLog(options: LogOptions): LogView {
  return makeView(checkOptions(options));
}

/** The same for options that were checked. */
export function makeView(options: CheckedOptions): LogView {
  const { retainedCapacity, segmentCapacity, pinnedBytesMax, firstIndex, mapping, layout } = options;
  const fixed = layout.kinds.filter((kind) => !isVariable(kind));
  const size = {
    retainedCapacity,
    segmentCapacity,
    elementBytes: Uint32Array.from(fixed, elementBytes),
    dataBytes: new Uint32Array(layout.kinds.length - fixed.length).fill(layout.dataBytes),
  };
  let memory: SharedArrayBuffer | undefined;
  if (chooseMapping(mapping) === 'shared') {
    const measured = addon.measureLog(size);
    if (typeof measured === 'number') throw createFailed(measured, layout);
    memory = reserveShared(measured.retainedSegments, measured.strideBytes);
  }
  introduceThread();
  const made = addon.createLog({
    ...size,
    descriptor: encodeLayout(layout),
    columnTypes: Uint32Array.from(layout.kinds),
    columnNames: layout.fields ?? [''],
    pinnedBytesMax,
    firstIndex,
    endsWithWriter: layout.journal !== undefined,
    memory: memory === undefined ? null : wholeOf(memory),
    memoryBytesMax: memory?.maxByteLength ?? 0,
  });
  if (typeof made === 'number') throw createFailed(made, layout);
  return LogView.made(new NativeLog(made), layout, memory);
}

function createFailed(status: number, { dataBytes }: Layout): AtomicLogError {
  const smaller = dataBytes > 0 ? 'dataBytes or segmentCapacity' : 'segmentCapacity';
  return status === -Status.outOfMemory
    ? plainError(
        'ERR_OUT_OF_MEMORY',
        `the system refused memory for the first segment; choose a smaller ${smaller}, ` +
          'or close logs and snapshots that are done',
      )
    : rangeError('ERR_OUT_OF_RANGE', 'the log would be larger than the addon can address');
}

function attachFailed(status: number): AtomicLogError {
  return status === -Status.gone
    ? plainError(
        'ERR_LOG_GONE',
        'the log is gone: every thread has closed it, or the thread that had it has ended; ' +
          'keep the log open until all have attached',
      )
    : typeError(
        'ERR_INVALID_HANDLE',
        'the handle names no log of this process; pass on log.handle unchanged',
      );
}

/** Reads each option once; `wal` is that of a journaled log, which has looked at it. */
function checkAttachOptions(options: unknown): {
  codec: unknown;
  columns: RecordColumns | undefined;
  name: string | undefined;
} {
  const { schema, codec, name } = optionsOf('options', options, ['schema', 'codec', 'name', 'wal']);
  if (schema !== undefined && codec !== undefined) throw schemaAndCodec();
  if (name !== undefined && typeof name !== 'string') throw invalidType('options.name', 'a string', name);
  if (name !== undefined) checkNameLength(name);
  return { codec, columns: schema === undefined ? undefined : checkSchema('options.schema', schema), name };
}

function attachedTo(id: number, token: string, memory: SharedArrayBuffer | undefined): NativeLog {
  const shared = addon.attachSharedLog(id, token);
  if (shared !== null) return new NativeLog(shared);
  const attached = addon.attachLog(id, token, memory && wholeOf(memory));
  if (typeof attached === 'number') throw attachFailed(attached);
  return new NativeLog(attached);
}

/** The view of the log that a handle names. */
export function viewOfHandle(handle: unknown, options: unknown): LogView {
  const { codec, columns, name } = checkAttachOptions(options);
  const { id, token, memory } = checkHandle(handle);
  const known = LogView.known(id, token, memory);
  if (known !== undefined) {
    const { layout } = known;
    // The view keeps the codec that it has.
    coderFor(layout.coder?.name, codec);
    if (columns !== undefined) checkColumnsOf(layout, columns);
    if (name !== undefined) known.native.nameReader(name);
    return known;
  }
  introduceThread();
  const native = attachedTo(id, token, memory);
  try {
    const layout = decodeLayout(native.descriptor, codec);
    if (columns !== undefined) checkColumnsOf(layout, columns);
    const view = LogView.attached(native, layout, () =>
      native.isOfProcesses ? overlayOf(native, chooseMapping('auto')) : native.isShared ? memory : undefined,
    );
    if (name !== undefined) view.native.nameReader(name);
    return view;
  } catch (error) {
    native.close(memory && wholeOf(memory));
    throw error;
  }
}
