/** Lengths of what lies in one piece of bytes, one after the other: of the records of a segment file, of the entries of a batch. */
import { checkBytes } from '../base/checks';
import { invalidType, outOfRange } from '../base/errors';
import { typedArrayLength, typedArrayTag } from '../base/typed-array';
import { checkOffset } from './options';

/** What each length may be. */
export interface LengthBounds {
  readonly min: number;
  readonly max: number;
  /** For people. */
  readonly minText?: string;
}

/** A copy, which no one changes meanwhile, of lengths that make up all of `bytes`. */
export function checkLengths(lengths: unknown, bytes: unknown, bounds: LengthBounds): Uint32Array {
  checkBytes('bytes', bytes);
  const { min, max, minText = String(min) } = bounds;
  const sizes =
    typedArrayTag(lengths) === 'Uint32Array'
      ? new Uint32Array(lengths as Uint32Array)
      : Uint32Array.from(toIntegers(lengths, max));
  let sum = 0;
  for (let i = 0; i < sizes.length; ++i) {
    const size = sizes[i]!;
    if (size < min || size > max) throw outOfRange(`lengths[${i}]`, `from ${minText} to ${max}`, size);
    sum += size;
  }
  // The getter of an array's element may have resized them.
  const count = typedArrayLength(bytes as Uint8Array);
  if (sum !== count) throw outOfRange('the sum of lengths', `bytes.length (${count})`, sum);
  return sizes;
}

function toIntegers(lengths: unknown, max: number): number[] {
  if (!Array.isArray(lengths)) throw invalidType('lengths', 'a Uint32Array or an array of integers', lengths);
  return lengths.map((length: unknown, i) => checkOffset(`lengths[${i}]`, length, 0, max));
}
