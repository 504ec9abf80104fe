/**
 * What a typed array is, by the intrinsic getters: they read internal slots, so
 * that neither an own `length`, a subclass nor another realm's typed array can
 * mislead us.
 */
import type { ScalarArray } from './scalar';

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

function intrinsicGetter<R>(key: PropertyKey): (this: unknown) => R {
  return Object.getOwnPropertyDescriptor(typedArrayPrototype, key)!.get as (this: unknown) => R;
}

const getTag = intrinsicGetter<string | undefined>(Symbol.toStringTag);
const getLength = intrinsicGetter<number>('length');
const getBuffer = intrinsicGetter<ArrayBufferLike>('buffer');
const getByteOffset = intrinsicGetter<number>('byteOffset');

/** `'Float64Array'` and so on; undefined for what is not a typed array. */
export function typedArrayTag(value: unknown): string | undefined {
  return getTag.call(value);
}

/** Elements of a typed array; 0 when it is detached. */
export function typedArrayLength(array: ScalarArray): number {
  return getLength.call(array);
}

export function typedArrayBuffer(array: ScalarArray): ArrayBufferLike {
  return getBuffer.call(array);
}

export function typedArrayByteOffset(array: ScalarArray): number {
  return getByteOffset.call(array);
}

export function isShared(array: ScalarArray): boolean {
  return typedArrayBuffer(array) instanceof SharedArrayBuffer;
}
