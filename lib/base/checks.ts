/** Checks of what users give: bytes, and the names of options. */
import { describe, invalidType, typeError } from './errors';
import { typedArrayLength, typedArrayTag } from './typed-array';

export const NO_BYTES = new Uint8Array(0);

/**
 * Bytes are any Uint8Array, a Buffer included, over shared memory or not. Checks
 * the type and returns the length, without running code of the user.
 */
export function checkBytes(what: string, value: unknown): number {
  if (typedArrayTag(value) !== 'Uint8Array') throw invalidType(what, 'a Uint8Array', value);
  return typedArrayLength(value as Uint8Array);
}

/** Longer ones are no slips of a pen. */
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

function nearest(name: string, known: readonly string[]): string {
  const start = name.slice(0, NAME_LENGTH_MAX).toLowerCase();
  let best = known.find((other) => other.toLowerCase().startsWith(start));
  if (best !== undefined) return best;
  best = known[0]!;
  for (const other of known) {
    if (distance(start, other.toLowerCase()) < distance(start, best.toLowerCase())) best = other;
  }
  return best;
}

/** Refuses properties that are no option. */
export function checkNames(
  what: string,
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `${what} has no option ${describe(name)}; the nearest one is ${nearest(name, known)}`,
    );
  }
}
