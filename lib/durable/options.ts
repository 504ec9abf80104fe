/** Checks of options that segment files and write-ahead logs share. */
import { isAbsolute, resolve } from 'node:path';

import { describe, invalidType, outOfRange, typeError } from '../base/errors';

/** Offsets stay exact with room for any length. */
const OFFSET_MAX = 2 ** 52;

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
  return absolute(path);
}

export function checkObject(what: string, value: unknown): Record<string, unknown> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null) throw invalidType(what, 'an object', value);
  return value as Record<string, unknown>;
}

/** An integer from `min` to `max`. */
export function checkOffset(what: string, value: unknown, min = 0, max = OFFSET_MAX): number {
  if (typeof value !== 'number') throw invalidType(what, 'an integer', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(what, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

export function checkFlag(what: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw invalidType(what, 'a boolean', value);
  return value;
}

/** One of a few strings; the first is the default. */
export function checkChoice<S extends string>(what: string, value: unknown, choices: readonly S[]): S {
  if (value === undefined) return choices[0]!;
  if (choices.includes(value as S)) return value as S;
  const expected = `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`;
  throw typeof value === 'string'
    ? typeError('ERR_INVALID_ARG_VALUE', `${what} must be ${expected}; got ${describe(value)}`)
    : invalidType(what, expected, value);
}
