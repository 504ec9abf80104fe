/**
 * The memory of a log that processes share, where the runtime allows no external memory: a SharedArrayBuffer that the
 * engine made, with the file in place of its pages. Each environment has one of its own.
 */
import { IoCode } from '../base/codes';
import { plainError, rangeError, type AtomicLogError } from '../base/errors';
import type { NativeLog } from './native-log';
import { growableShared, SHARED_BYTES_MAX, wholeOf, type MappingKind } from './storage';

/** Undefined where its blocks are mapped as external ArrayBuffers. What cannot be shown otherwise decides by itself. */
export function overlayOf(native: NativeLog, kind: MappingKind): SharedArrayBuffer | undefined {
  const { shownBytes: bytes } = native;
  if (bytes === 0 || (kind === 'external' && !native.isShared)) return undefined;
  if (bytes > SHARED_BYTES_MAX) throw tooLarge(bytes);
  const memory = growableShared(bytes, bytes);
  const refused = native.layOver(wholeOf(memory));
  if (refused === IoCode.ok) return memory;
  if (refused === IoCode.unsupported) throw cannotLayOver();
  throw plainError(
    'ERR_OUT_OF_MEMORY',
    `the system refused to map ${bytes} bytes of the log's file; close logs that are done, then try again`,
  );
}

/** Before the log is made, where it is known how large it will be. */
export function checkOverlay(bytes: number): void {
  if (process.platform === 'win32') throw cannotLayOver();
  if (bytes > SHARED_BYTES_MAX) throw tooLarge(bytes);
}

function tooLarge(bytes: number): AtomicLogError {
  return rangeError(
    'ERR_OUT_OF_RANGE',
    `the segments of the log take ${bytes} bytes, and shared mapping shows at most ${SHARED_BYTES_MAX}; make it with a ` +
      'smaller retainedCapacity or extraSegments',
  );
}

function cannotLayOver(): AtomicLogError {
  return plainError(
    'ERR_MAPPING_UNAVAILABLE',
    "this runtime shows its own memory only (V8 sandbox, as in Electron, or mapping: 'shared'), and here a file cannot " +
      'be mapped over that; have a log of this process alone, and send batches between processes',
  );
}
