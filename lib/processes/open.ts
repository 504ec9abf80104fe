/**
 * How this environment comes to the view of a log that processes share: by making
 * its file, or by joining one. From then on it is a log as any other.
 */
import type {
  NativeSharedFailure,
  NativeSharedLogDescription,
  NativeSharedOpening,
} from '../../types/native';
import { throwIfAborted, waitUnlessAborted } from '../base/abort';
import { IoCode, Mismatch, SharedOpenMode } from '../base/codes';
import { plainError } from '../base/errors';
import { addon, introduceThread } from '../base/native';
import { environmentVariable } from '../base/runtime';
import { elementBytes, isVariable, typeNames } from '../base/scalar';
import { waitForTime } from '../base/waits';
import { checkPath } from '../durable/options';
import { AtomicLog, attachToView } from '../memory/atomic-log';
import { isBuiltIn, type Codec } from '../memory/codec';
import { checkColumnsOf, decodeLayout, encodeLayout, type Layout } from '../memory/layout';
import { NativeLog } from '../memory/native-log';
import { isFieldName } from '../memory/schema';
import { checkOverlay, overlayOf } from '../memory/overlay';
import { chooseMapping, type MappingKind } from '../memory/storage';
import { LogView } from '../memory/view';
import { differs, hasOthers, openFailed, type Asked } from './errors';
import { checkProcessOptions, type CheckedProcessOptions } from './options';

type Opened = NativeSharedLogDescription | NativeSharedFailure;

const NOTHING = new Uint32Array(0);
/** Between two looks for a log that is waited for. */
const LOOK_AGAIN_MS = 20;
const CACHE_LINE_BYTES = 64;

interface Prepared {
  readonly path: string;
  readonly checked: CheckedProcessOptions;
  readonly mapping: MappingKind;
  readonly opening: NativeSharedOpening;
}

/** What the addon takes; checks everything first. */
function prepare(path: unknown, options: unknown, canWait = false): Prepared {
  const checkedPath = checkPath(path);
  const checked = checkProcessOptions(options, canWait);
  const mapping = chooseMapping(checked.memory?.mapping ?? 'auto');
  if (mapping === 'shared') checkOverlay(askedOf(checked).bytes);
  const { memory, openMode, permissions, allowsOtherOwner, otherThan, readersMax, extraSegments } = checked;
  const isCopiedForShared = mapping === 'shared' && openMode === SharedOpenMode.readOnly;
  const mode = isCopiedForShared ? SharedOpenMode.readOnlyInFile : openMode;
  const common = {
    path: checkedPath,
    mode,
    permissions,
    allowsOtherOwner,
    otherThan,
    readersMax,
    extraSegments,
  };
  const { retainedCapacity, segmentCapacity, firstIndex, layout } = memory ?? {
    retainedCapacity: 0,
    segmentCapacity: 0,
    firstIndex: 0,
    layout: undefined,
  };
  const fixed = layout?.kinds.filter((kind) => !isVariable(kind)) ?? [];
  const opening: NativeSharedOpening = {
    ...common,
    retainedCapacity,
    segmentCapacity,
    firstIndex,
    // How views are ended is each process's own business.
    descriptor: layout === undefined ? '' : encodeLayout({ ...layout, strictViews: false }),
    elementBytes: Uint32Array.from(fixed, elementBytes),
    dataBytes:
      layout === undefined
        ? NOTHING
        : new Uint32Array(layout.kinds.length - fixed.length).fill(layout.dataBytes),
  };
  return { path: checkedPath, checked, mapping, opening };
}

/** Where columns begin in a block, as core/memory/block_layout.h has it, and where the block ends. */
function offsetsOf({ kinds, dataBytes }: Layout, segmentCapacity: number): number[] {
  const fixed = kinds.filter((kind) => !isVariable(kind)).map((kind) => segmentCapacity * elementBytes(kind));
  const variable = kinds.filter(isVariable).flatMap(() => [(segmentCapacity + 1) * 4, dataBytes]);
  const offsets = [CACHE_LINE_BYTES];
  for (const bytes of [...fixed, ...variable]) {
    offsets.push(offsets.at(-1)! + Math.ceil(bytes / CACHE_LINE_BYTES) * CACHE_LINE_BYTES);
  }
  return offsets;
}

/** For an error: what is to be done, and the room that it takes, but for a few pages. */
function askedOf({ memory, extraSegments }: CheckedProcessOptions): Asked {
  if (memory === undefined) return { what: 'join', bytes: 0 };
  const { layout, retainedCapacity, segmentCapacity } = memory;
  const segments = Math.ceil(retainedCapacity / segmentCapacity) + 1 + extraSegments;
  return { what: 'make', bytes: segments * offsetsOf(layout, segmentCapacity).at(-1)! };
}

/** Whether the log can be of such columns: they are where its memory has them, and their names are names. */
function isPossible(layout: Layout, { columnOffsets, blockBytes, segmentCapacity }: NativeLog): boolean {
  const { kinds, fields, coder } = layout;
  if (fields === undefined) {
    const [kind] = kinds;
    if (coder === undefined ? isVariable(kind!) : coder.kind !== kind) return false;
  } else if (coder !== undefined || !fields.every(isFieldName)) {
    return false;
  }
  const here = offsetsOf(layout, segmentCapacity);
  const there = [...columnOffsets, blockBytes];
  return here.length === there.length && here.every((offset, i) => offset === there[i]);
}

/** The text comes from a file: nothing in it is believed. */
function layoutOf(path: string, native: NativeLog, codec: unknown): Layout {
  const { descriptor } = native;
  let parsed: Partial<Layout> | null;
  try {
    parsed = JSON.parse(descriptor) as Partial<Layout> | null;
  } catch {
    parsed = null;
  }
  const kinds = parsed?.kinds;
  const fields = parsed?.fields;
  const isKnown =
    Array.isArray(kinds) &&
    kinds.length > 0 &&
    kinds.every((kind) => typeof kind === 'number' && typeNames[kind] !== undefined) &&
    (fields === undefined
      ? kinds.length === 1
      : Array.isArray(fields) && fields.length === kinds.length && new Set(fields).size === kinds.length) &&
    (fields ?? []).every((field) => typeof field === 'string') &&
    Number.isInteger(parsed?.dataBytes) &&
    ['string', 'undefined'].includes(typeof parsed?.name);
  const layout = isKnown ? decodeLayout(descriptor, codec) : undefined;
  if (layout === undefined || !isPossible(layout, native)) {
    throw plainError('ERR_FORMAT', `${path}: the columns of the log are not known here; unlink it`);
  }
  return { ...layout, strictViews: false, journal: undefined };
}

/** What the entries are, in words. */
function entriesOf({ kinds, fields, coder }: Layout): string {
  if (coder !== undefined) return `values of the codec ${coder.name}`;
  const types = kinds.map((kind) => typeNames[kind]!);
  if (fields === undefined) return `numbers of ${types[0]}`;
  return `records of ${fields.map((field, i) => `${field}: ${types[i]}`).join(', ')}`;
}

/** Refuses a log that is another one than the options describe. */
function compare(
  path: string,
  native: NativeLog,
  opened: NativeSharedLogDescription,
  there: Layout,
  { memory, columns, readersMax, extraSegments, given }: CheckedProcessOptions,
): void {
  const told = { what: `${path}: the log`, then: 'open it with the schema that it was made with' };
  if (columns !== undefined) checkColumnsOf(there, columns, told);
  if (memory === undefined) return;
  const { layout: here, retainedCapacity, segmentCapacity } = memory;
  if (here.fields !== undefined && there.fields !== undefined) {
    const { kinds, fields } = here;
    checkColumnsOf(there, { kinds, fields }, told);
  }
  const entries = [entriesOf(there), entriesOf(here)] as const;
  if (entries[0] !== entries[1]) throw hasOthers(path, ...entries);
  const rows: (readonly [string, unknown, unknown])[] = [
    ['retainedCapacity', native.retainedCapacity, retainedCapacity],
    ['segmentCapacity', native.segmentCapacity, segmentCapacity],
    ['dataBytes', there.dataBytes, here.dataBytes],
    ['readersMax', opened.readersMax, given.readersMax ? readersMax : opened.readersMax],
    ['extraSegments', opened.extraSegments, given.extraSegments ? extraSegments : opened.extraSegments],
  ];
  for (const [what, found, wanted] of rows) if (found !== wanted) throw differs(path, what, found, wanted);
}

function logOf<T>({ path, checked, mapping }: Prepared, opened: Opened): AtomicLog<T> {
  if ('outcome' in opened) throw openFailed(path, opened, askedOf(checked));
  const native = new NativeLog(opened);
  try {
    const codec = checked.codec;
    const there = layoutOf(path, native, codec);
    compare(path, native, opened, there, checked);
    const strictViews =
      checked.memory?.layout.strictViews ?? environmentVariable('ATOMIC_LOG_STRICT_VIEWS') === '1';
    const view = LogView.attached(native, { ...there, strictViews }, () => overlayOf(native, mapping));
    return new AtomicLog<T>(attachToView, view);
  } catch (error) {
    native.close(undefined);
    throw error;
  }
}

/** A log that is only read, with what its file says of it. */
export interface ReadProcessLog {
  readonly log: AtomicLog<unknown>;
  readonly layout: Layout;
  readonly native: NativeLog;
  readonly description: NativeSharedLogDescription;
}

/** A codec that is not here: what it has encoded is read as bytes. */
function codecNamedIn(descriptor: string): Codec<Uint8Array> | undefined {
  try {
    const { codec: name } = JSON.parse(descriptor) as { codec?: unknown };
    if (typeof name !== 'string' || isBuiltIn(name)) return undefined;
    return { name, encode: (bytes) => bytes, decode: (bytes) => bytes.slice() };
  } catch {
    return undefined;
  }
}

const readAny = { readOnly: true, allowOtherOwner: true };

function readOf({ path, checked, mapping }: Prepared, description: Opened): ReadProcessLog {
  if ('outcome' in description) throw openFailed(path, description, askedOf(checked));
  const native = new NativeLog(description);
  try {
    const layout = layoutOf(path, native, codecNamedIn(native.descriptor));
    const view = LogView.attached(native, layout, () => overlayOf(native, mapping));
    const log = new AtomicLog<unknown>(attachToView, view);
    return { log, layout, native, description };
  } catch (error) {
    native.close(undefined);
    throw error;
  }
}

/** For the command line: reads a log whatever its codec is. */
export function readProcessLogSync(path: string): ReadProcessLog {
  const prepared = prepare(path, readAny);
  introduceThread();
  return readOf(prepared, addon.openSharedLogSync(prepared.opening));
}

/** The same of one that is waited for; not of the one with the id `otherThan`. */
export async function readProcessLog(path: string, otherThan?: string): Promise<ReadProcessLog> {
  const prepared = prepare(path, { ...readAny, wait: true, otherThan }, true);
  return readOf(prepared, await openedOf(prepared));
}

/** Whether another process will make the log: there is none, or it is one that is replaced. */
const isToCome = (opened: Opened): boolean =>
  'outcome' in opened &&
  (opened.io === IoCode.notFound || opened.mismatch === Mismatch.boot || opened.mismatch === Mismatch.same);

/** What is there; with `wait: true`, once it is. */
async function openedOf({ opening, checked }: Prepared): Promise<Opened> {
  const { wait, signal } = checked;
  introduceThread();
  for (;;) {
    throwIfAborted(signal);
    // Undefined where the system has no thread for it.
    const opened = await (addon.openSharedLog(opening) ?? addon.openSharedLogSync(opening));
    if (!wait || !isToCome(opened)) return opened;
    await waitUnlessAborted(waitForTime(LOOK_AGAIN_MS), signal);
  }
}

/** {@link AtomicLogConstructor.open} with a path. */
export async function openProcessLog<T>(path: unknown, options: unknown): Promise<AtomicLog<T>> {
  const prepared = prepare(path, options, true);
  return logOf(prepared, await openedOf(prepared));
}

export function openProcessLogSync<T>(path: unknown, options: unknown): AtomicLog<T> {
  const prepared = prepare(path, options);
  introduceThread();
  return logOf(prepared, addon.openSharedLogSync(prepared.opening));
}

const UNLINK: Asked = { what: 'unlink', bytes: 0 };

/** {@link AtomicLogConstructor.unlink}. */
export async function unlinkProcessLog(path: unknown): Promise<void> {
  const checkedPath = checkPath(path);
  const pending = addon.unlinkSharedLog(checkedPath);
  if (pending === undefined) return unlinkProcessLogSync(path);
  const failure = await pending;
  if (failure !== null) throw openFailed(checkedPath, failure, UNLINK);
}

export function unlinkProcessLogSync(path: unknown): void {
  const checkedPath = checkPath(path);
  const failure = addon.unlinkSharedLogSync(checkedPath);
  if (failure !== null) throw openFailed(checkedPath, failure, UNLINK);
}
