/**
 * Checks of what users give. Each says what was expected and what came:
 * `ERR_INVALID_ARG_TYPE` for another type, `ERR_OUT_OF_RANGE` and
 * `ERR_INVALID_ARG_VALUE` for a value of the right type.
 */
import { types } from 'node:util';

import { describe, invalidType, outOfRange, typeError } from './errors';
import { typedArrayLength, typedArrayTag } from './typed-array';

export const NO_BYTES = new Uint8Array(0);

/**
 * Bytes are any Uint8Array, a Buffer included, over shared memory or not. Checks
 * the type and returns the length, without running code of the user.
 */
export function checkBytes(what: string, value: unknown): number {
  if (typedArrayTag(value) !== 'Uint8Array') {
    throw invalidType(what, 'a Uint8Array', value, bytesAdvice(value));
  }
  return typedArrayLength(value as Uint8Array);
}

/** How a value that is not bytes becomes some; undefined where no one can know what was meant. */
function bytesAdvice(value: unknown): string | undefined {
  if (typeof value === 'string') return 'Buffer.from(text) has its bytes';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (types.isAnyArrayBuffer(value)) return 'new Uint8Array(buffer) shows its bytes';
  if (ArrayBuffer.isView(value)) {
    return 'new Uint8Array(view.buffer, view.byteOffset, view.byteLength) shows its bytes';
  }
  return 'Buffer.from(JSON.stringify(value)) has its bytes';
}

/** An integer within bounds, which are inclusive; an infinite one does not bind. */
export function checkInteger(what: string, value: unknown, min = -Infinity, max = Infinity): number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  const expected = `an integer${rangeText(min, max)}`;
  throw typeof value === 'number' ? outOfRange(what, expected, value) : invalidType(what, expected, value);
}

function rangeText(min: number, max: number): string {
  if (min === -Infinity) return '';
  return max === Infinity ? ` of at least ${min}` : ` from ${min} to ${max}`;
}

/** A number of `unit` from 0 on, which need not be an integer; Infinity is one. */
export function checkAmount(what: string, value: unknown, unit: string): number {
  if (typeof value === 'number' && value >= 0) return value;
  const expected = `a number of ${unit}, 0 or more`;
  throw typeof value === 'number' ? outOfRange(what, expected, value) : invalidType(what, expected, value);
}

/** A boolean; undefined stands for false. */
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

/** Longer ones are not slips of a pen. */
const NAME_LENGTH_MAX = 40;

/** How many letters must be put in, left out or replaced (Levenshtein). */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; ++i) {
    const row = [i];
    for (let j = 1; j <= b.length; ++j) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}

/** The name that was meant, most likely, or all there are: one that is far from it would only mislead. */
function suggestion(name: string, known: readonly string[]): string {
  const start = name.slice(0, NAME_LENGTH_MAX).toLowerCase();
  let best = known.find((other) => other.toLowerCase().startsWith(start));
  let least = best === undefined ? Math.max(3, Math.ceil((start.length + 1) / 3)) : 0;
  for (const other of known) {
    const letters = distance(start, other.toLowerCase());
    if (letters < least) [best, least] = [other, letters];
  }
  return best === undefined ? `there are ${known.join(', ')}` : `the nearest one is ${best}`;
}

/** Refuses properties that are not options. */
export function checkNames(
  what: string,
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `${what} has no option ${describe(name)}; ${suggestion(name, known)}`,
    );
  }
}

/** `withWhat`: what it must have at least. */
export function checkObject(what: string, value: unknown, withWhat?: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    throw invalidType(what, withWhat === undefined ? 'an object' : `an object ${withWhat}`, value);
  }
  return value as Record<string, unknown>;
}

/** An object of options with no other names than these; undefined stands for none. Read each once: it may be a getter. */
export function optionsOf<K extends string>(
  what: string,
  value: unknown,
  known: readonly K[],
): Readonly<Partial<Record<K, unknown>>> {
  const given = value === undefined ? {} : checkObject(what, value);
  checkNames(what, given, known);
  return given as Partial<Record<K, unknown>>;
}
