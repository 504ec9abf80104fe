/**
 * The file of a log that processes share, for the command line. It is only read: no slot is taken, nothing is
 * changed, and it does not matter whether any process has it open.
 */
import { statSync } from 'node:fs';
import { inspect } from 'node:util';

import { codeOf } from '../base/errors';
import { typeNames } from '../base/scalar';
import type { AtomicLog } from '../memory/atomic-log';
import type { FollowOptions } from '../memory/follower';
import type { NativeLog } from '../memory/native-log';
import type { Snapshot } from '../memory/snapshot';
import { readProcessLog, readProcessLogSync, type ReadProcessLog } from '../processes/open';
import { readBytes } from './kind';
import { complain } from './output';
import { availableBytesAt, type Bounds, type Item, type SharedSummary, type Source } from './sources';

/** Where the header has it: src-native/core/shared_memory/shared_format.h. */
const BOOT_ID_AT = 96;
const BOOT_ID_BYTES = 16;

/** What JSON has no notation for, in a form that it has. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') };
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>);
  if (value instanceof Set) return [...(value as Set<unknown>)];
  return value;
}

function jsonOf(value: unknown): string {
  try {
    // A codec may have made undefined of it, which is no JSON.
    return JSON.stringify(value, plain) ?? 'null';
  } catch {
    return JSON.stringify(inspect(value));
  }
}

function itemOf(position: number, value: unknown): Item {
  const unit = 'index';
  if (typeof value === 'string') return { unit, position, data: Buffer.from(value) };
  if (value instanceof Uint8Array) return { unit, position, data: value };
  const json = jsonOf(value);
  return { unit, position, data: Buffer.from(json), value: JSON.parse(json) as unknown };
}

function* itemsOf(snapshot: Snapshot<unknown>, first: number, end: number): Iterable<Item> {
  for (let index = first; index < end; ++index) yield itemOf(index, snapshot.at(index - snapshot.firstIndex));
}

/** As the tools of the system write it. */
function bootIdOf(path: string): string {
  const digits = readBytes(path, BOOT_ID_AT, BOOT_ID_BYTES).toString('hex');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The processes that have it open, and the one that has the claim. */
function openBy(native: NativeLog): Pick<SharedSummary, 'slots' | 'holder'> {
  const living = native.livingSlots();
  const writer = living.find(({ isWriter }) => isWriter)?.process ?? 0;
  return {
    slots: living.map(({ slot, process, pinnedSegments }) => ({
      slot,
      pinnedSegments,
      ...(process === 0 ? {} : { pid: process }),
    })),
    ...(writer === 0 ? {} : { holder: writer }),
  };
}

function summaryOf(path: string, { log, layout, native, description }: ReadProcessLog): SharedSummary {
  const { retainedCapacity, segmentCapacity, firstIndex, endIndex, ended, isWriterClaimed } = log;
  const { retainedSegments, pinnedSegments, segments, segmentBytes } = log.stats();
  const { kinds, fields = ['value'], coder } = layout;
  return {
    kind: 'shared log',
    path,
    isLocked: isWriterClaimed,
    availableBytes: availableBytesAt(path),
    logId: native.token,
    firstIndex,
    endIndex,
    ended,
    columns: Object.fromEntries(kinds.map((kind, i) => [fields[i]!, typeNames[kind]!])),
    ...(coder === undefined ? {} : { codec: coder.name }),
    retainedCapacity,
    segmentCapacity,
    retainedSegments,
    pinnedSegments,
    segments,
    segmentBytes,
    size: statSync(path).size,
    readersMax: description.readersMax,
    ...openBy(native),
    bootId: bootIdOf(path),
    isOfEarlierRun: description.isOfEarlierRun,
  };
}

/** What a reader of a file is told, which may be a copy. */
function readable<R>(path: string, read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (codeOf(error) !== 'ERR_LOG_DAMAGED') throw error;
    throw new Error(
      `${path}: its segments do not fit together: it is damaged, or a copy that was made while a writer went round ` +
        'the whole window; make another',
      { cause: error },
    );
  }
}

async function* itemsFollowed(
  log: AtomicLog<unknown>,
  options: Pick<FollowOptions, 'from' | 'whenReplaced'>,
): AsyncIterable<Item> {
  for await (const batch of log.follow(options)) {
    if (batch.lost > 0) complain(`${batch.lost} entries left the window before they were read`);
    let index = batch.firstIndex;
    for (const value of batch) yield itemOf(index++, value);
  }
}

/** Of one log at the path after another. */
async function* itemsOfAll(path: string, first: AtomicLog<unknown>, from: number): AsyncIterable<Item> {
  yield* itemsFollowed(first, { from, whenReplaced: 'end' });
  for (let over = first; ;) {
    const why = over.ended ? 'has ended' : 'was unlinked, moved or replaced';
    complain(`${path}: the log ${why}; waiting for the one that takes its place`);
    const { log } = await readProcessLog(path, over.logId);
    complain(`${path}: going on with the log ${log.logId}`);
    over.close();
    over = log;
    yield* itemsFollowed(log, { whenReplaced: 'end' });
  }
}

/** A log that is waited for where there is none. Who follows it goes on with the log that takes its place. */
export async function waitedSource(path: string): Promise<Source> {
  let opened: ReadProcessLog;
  try {
    opened = readProcessLogSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ERR_FILE_NOT_FOUND') throw error;
    complain(`${path}: no log is there; waiting for one`);
    opened = await readProcessLog(path);
  }
  const source = sourceOf(path, opened);
  return { ...source, follow: (position = -1) => itemsOfAll(path, opened.log, position + 1) };
}

export const sharedSource = (path: string): Source => sourceOf(path, readProcessLogSync(path));

function sourceOf(path: string, opened: ReadProcessLog): Source {
  const { log } = opened;
  /** What was there when it was opened, once that is asked for. */
  let taken: Snapshot<unknown> | undefined;
  const snapshot = (): Snapshot<unknown> => (taken ??= readable(path, () => log.snapshot()));
  const { firstIndex, endIndex } = readable(path, () => ({
    firstIndex: log.firstIndex,
    endIndex: log.endIndex,
  }));
  return {
    kind: 'shared',
    end: endIndex - 1,
    extent:
      endIndex === firstIndex
        ? 'the log has no entries'
        : `the entries have the indexes ${firstIndex} to ${endIndex - 1}`,
    summary: () => readable(path, () => summaryOf(path, opened)),
    *items({ from = 0, to = Infinity }: Bounds = {}) {
      const all = snapshot();
      yield* itemsOf(all, Math.max(from, all.firstIndex), Math.min(to + 1, all.endIndex));
    },
    last(count) {
      const all = snapshot();
      return [...itemsOf(all, Math.max(all.endIndex - count, all.firstIndex), all.endIndex)];
    },
    follow: (position = -1) => itemsFollowed(log, { from: position + 1, whenReplaced: 'throw' }),
    close() {
      taken?.close();
      log.close();
    },
  };
}
