/** What goes to another thread so that it can attach to a log. */
import { describe, typeError, type AtomicLogError } from '../base/errors';
import { addon, addonPath } from '../base/native';
import { isSharedMemory } from './storage';

declare const entryType: unique symbol;
declare const nativeHandle: unique symbol;

/**
 * Names a log for other threads of this process. Plain data: send it through
 * `workerData` or `postMessage`. `T` is the type of the entries.
 */
export interface LogHandle<T = unknown> {
  readonly kind: 'atomic-log';
  readonly id: number;
  readonly token: string;
  /** The registry that knows the log, its process, and the addon's file. */
  readonly registry: string;
  readonly pid: number;
  readonly addonPath: string;
  /** The log's storage, where it is shared. */
  readonly memory?: SharedArrayBuffer;
  /** Never there; it carries the type of the entries. */
  readonly [entryType]?: T;
}

/**
 * Names a log for native code of this process: another addon takes it to produce
 * or consume entries on threads of its own (`atomic_log/node_api.h`). It belongs
 * to the thread that it was made in: it cannot be posted, copied or made by hand.
 */
export interface NativeHandle {
  readonly [nativeHandle]: true;
}

export function makeHandle<T>(
  id: number,
  token: string,
  memory: SharedArrayBuffer | undefined,
): LogHandle<T> {
  const { registryNonce: registry } = addon;
  const handle = { kind: 'atomic-log', id, token, registry, pid: process.pid, addonPath } as const;
  return memory === undefined ? handle : { ...handle, memory };
}

/** Checks the form of a handle and where it comes from. */
export function checkHandle(handle: unknown): {
  id: number;
  token: string;
  memory: SharedArrayBuffer | undefined;
} {
  if (typeof handle !== 'object' || handle === null) throw invalid(describe(handle));
  const { kind, id, token, registry, pid, addonPath: path, memory } = handle as Record<string, unknown>;
  if (kind !== 'atomic-log') throw invalid('an object that is not a handle (was the log itself posted?)');
  if (
    !Number.isSafeInteger(id) ||
    (id as number) < 0 ||
    typeof token !== 'string' ||
    typeof registry !== 'string'
  ) {
    throw invalid('a damaged handle');
  }
  if (registry !== addon.registryNonce) throw foreign(pid, path);
  if (memory !== undefined && !isSharedMemory(memory)) {
    throw invalid('one whose memory is not a SharedArrayBuffer (JSON loses it)');
  }
  return { id: id as number, token, memory };
}

function invalid(what: string): AtomicLogError {
  return typeError(
    'ERR_INVALID_HANDLE',
    `attach needs the handle of a log; got ${what}. Post log.handle, not the log`,
  );
}

function foreign(pid: unknown, path: unknown): AtomicLogError {
  return typeError(
    'ERR_FOREIGN_HANDLE',
    pid === process.pid
      ? `the handle belongs to another copy of the addon in this process: it was made by ${String(path)}, ` +
          `and this is ${addonPath}; make both sides load the same atomic-log`
      : `the handle belongs to process ${String(pid)}, and this is process ${process.pid}: ` +
          'a handle is for the threads of its process; open a log that processes share by its path',
  );
}
