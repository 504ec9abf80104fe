/**
 * Copying between typed arrays of the same kind.
 *
 * V8's `set` uses `memmove`, which on some processors takes 16 times as long where the
 * target begins a few bytes after the source, modulo a page. To and from shared memory it
 * copies element by element, which takes two to four times as long everywhere. The addon
 * (core/base/copy.h) does neither, and a call of it costs less from some size on.
 */
import { addon } from './native';
import { elementBytes, Kind, viewOf, type ScalarArray } from './scalar';
import { isShared, typedArrayByteOffset } from './typed-array';

const { copyElements } = addon;
/** Whatever the target says that its `set` is. */
const { set } = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;

/** From here on the call costs less than V8's way with shared memory, with Node 20 and 24. */
const NATIVE_COPY_BYTES = 4096;
/** Memory begins at multiples of this, and the slow places are nearer to one another. */
const ALIGNMENT_BYTES = 16;

/**
 * As `target.set(source, at)` without running code of the user. The source has so many values,
 * which fit, and both are of this kind.
 */
export function copyValues(
  kind: Kind,
  target: ScalarArray,
  at: number,
  source: ScalarArray,
  length: number,
): void {
  // Fewer values are fewer bytes, of whatever kind.
  if (length >= NATIVE_COPY_BYTES / 8 && copyMany(kind, target, at, source, length)) return;
  set.call(target, source as ArrayLike<number>, at);
}

/**
 * Copies the first `length` bytes of the user, which are all that there were when they were counted,
 * to a target that has room for them. Other threads may let shared memory grow at any time: what
 * comes after in the target may change too, and must not be in use.
 */
export function copyBytes(target: Uint8Array, at: number, source: Uint8Array, length: number): void {
  // An empty one may be detached, and set() would refuse it.
  if (length === 0) return;
  if (length < NATIVE_COPY_BYTES) {
    // Without a look at the source's buffer: of up to 64 bytes V8 would have to make it first, at ten times the cost.
    try {
      set.call(target, source, at);
      return;
    } catch {
      // It has grown beyond the target.
    }
  }
  copyValues(Kind.u8, target, at, isShared(source) ? viewOf(Kind.u8, source, 0, length) : source, length);
}

/** False when V8 copies better. */
function copyMany(kind: Kind, target: ScalarArray, at: number, source: ScalarArray, length: number): boolean {
  const size = elementBytes(kind);
  if (length * size < NATIVE_COPY_BYTES) return false;
  const distance = typedArrayByteOffset(target) + at * size - typedArrayByteOffset(source);
  const mayBeSlow = distance % ALIGNMENT_BYTES !== 0 || isShared(target) || isShared(source);
  return mayBeSlow && copyElements(target, at, source);
}
