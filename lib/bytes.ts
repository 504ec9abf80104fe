/** Bytes that users give: any Uint8Array, a Buffer included, over shared memory or not. */
import { invalidType } from './errors';
import { typedArrayLength, typedArrayTag } from './typed-array';

export const NO_BYTES = new Uint8Array(0);

/** Checks the type and returns the length, without running code of the user. */
export function checkBytes(what: string, value: unknown): number {
  if (typedArrayTag(value) !== 'Uint8Array') throw invalidType(what, 'a Uint8Array', value);
  return typedArrayLength(value as Uint8Array);
}
