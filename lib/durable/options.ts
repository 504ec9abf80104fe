/** Checks of options that segment files and write-ahead logs share. */
import { isAbsolute, resolve } from 'node:path';

import { checkInteger } from '../base/checks';
import { describe, invalidType, typeError } from '../base/errors';

/** Offsets stay exact with room for any length. */
const OFFSET_MAX = 2 ** 52;

/** As core/platform/file.h: no system takes so long a path, and each says so of what is left of it. */
const PATH_LENGTH_MAX = 2 ** 17;

/**
 * The path, from the root: `process.chdir()` later changes nothing. One that is
 * absolute stays as it is; and `..` is left to the system, because what is before
 * may be a link.
 */
function absolute(path: string): string {
  if (isAbsolute(path) && process.platform !== 'win32') return path;
  let folder: string;
  try {
    folder = process.cwd();
  } catch {
    // It is gone, and what is in it too: the system will say so.
    return path;
  }
  return process.platform !== 'win32' && path.split('/').includes('..')
    ? `${folder}/${path}`
    : resolve(folder, path);
}

/** A path, absolute. */
export function checkPath(path: unknown, what = 'path'): string {
  if (typeof path !== 'string') throw invalidType(what, 'a string', path);
  if (path === '' || path.includes('\0')) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `${what} must not be empty and must not contain null bytes; got ${describe(path)}`,
    );
  }
  // A longer one may leave no room in a string for the folder.
  return absolute(path.slice(0, PATH_LENGTH_MAX));
}

/** An offset or a number of bytes. */
export function checkOffset(what: string, value: unknown, min = 0, max = OFFSET_MAX): number {
  return checkInteger(what, value, min, max);
}
