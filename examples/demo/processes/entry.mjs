// @ts-check
import { defineSchema } from 'atomic-log';

/** Both columns follow from the index, so that a reader knows what must be there. */
export const schema = defineSchema({ value: 'f64', checksum: 'u32' });

/**
 * @param {number} index
 * @param {number} value
 */
export function checksumOf(index, value) {
  let hash = Math.imul(index | 0, 0x9e3779b1) ^ Math.floor(value * 1000);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** @param {number} index */
export const valueOf = (index) => Math.sin(index / 1000);
