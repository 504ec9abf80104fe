/**
 * Values as bytes, as `node:v8` makes them: the same values on every runtime.
 *
 * Node and Deno store what a view shows. Bun stores the view's whole buffer: of a
 * small `Buffer`, all of the pool that it lies in, with bytes that were never meant
 * to be stored; of a view of a log, the segment. There, views that show a part of
 * their buffer are copied first.
 */
import { types } from 'node:util';
import type * as V8 from 'node:v8';

import { typedArrayTag } from '../base/typed-array';

let v8: typeof V8 | undefined;

/** Loaded when it is first needed: loading it takes a sixth of the time that loading the package takes. */
function serializer(): typeof V8 {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() is for those that can wait
  return (v8 ??= require('node:v8') as typeof V8);
}

let storesWholeBuffers: boolean | undefined;

/** Found out when it is first needed, by the runtime's own result. */
function doesStoreWholeBuffers(): boolean {
  const buffer = new ArrayBuffer(256);
  return (storesWholeBuffers ??=
    serializer().serialize(new Uint8Array(buffer, 0, 1)).length >= buffer.byteLength);
}

/** What the structured clone algorithm makes of the value, as bytes. Runs getters of the value. */
export function serializeValue(value: unknown): Uint8Array {
  return serializer().serialize(doesStoreWholeBuffers() ? withOwnBuffers(value) : value);
}

/** The value that {@link serializeValue} made into these bytes. */
export function deserializeValue(bytes: Uint8Array): unknown {
  return serializer().deserialize(bytes);
}

function copyOfShown(view: ArrayBufferView): ArrayBufferView {
  const { buffer } = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
  if (Buffer.isBuffer(view)) return Buffer.from(buffer);
  const tag = typedArrayTag(view);
  if (tag === undefined) return new DataView(buffer);
  const constructors = globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>;
  return new constructors[tag]!(buffer);
}

/** Whether the algorithm takes the object property by property. Others have no properties of their own. */
function hasProperties(value: object): boolean {
  return (
    !types.isDate(value) &&
    !types.isRegExp(value) &&
    !types.isNativeError(value) &&
    !types.isBoxedPrimitive(value) &&
    !types.isAnyArrayBuffer(value) &&
    Object.keys(value).length > 0
  );
}

/** What takes the object's place, still empty; the object itself where nothing below it can be a view. */
function shellOf(value: object): object {
  // A clone refuses it, and must go on to do so.
  if (types.isProxy(value)) return value;
  if (ArrayBuffer.isView(value)) {
    return value.byteLength === value.buffer.byteLength ? value : copyOfShown(value);
  }
  if (Array.isArray(value)) return new Array(value.length) as object;
  if (types.isMap(value)) return new Map();
  if (types.isSet(value)) return new Set();
  return hasProperties(value) ? {} : value;
}

/** The value, with a copy in the place of every view that shows a part of its buffer. */
export function withOwnBuffers(value: unknown): unknown {
  const shells = new Map<object, object>();
  // Not by recursion: values may be nested deeper than the stack.
  const unfilled: [from: object, to: object][] = [];
  const replaced = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    let shell = shells.get(part);
    if (shell === undefined) {
      shell = shellOf(part);
      shells.set(part, shell);
      if (shell !== part && !ArrayBuffer.isView(shell)) unfilled.push([part, shell]);
    }
    return shell;
  };
  const result = replaced(value);
  for (const [from, to] of unfilled) {
    if (to instanceof Map) {
      Map.prototype.forEach.call(from, (item, key) => to.set(replaced(key), replaced(item)));
    } else if (to instanceof Set) {
      Set.prototype.forEach.call(from, (item) => to.add(replaced(item)));
    } else {
      for (const key of Object.keys(from)) {
        const item = replaced((from as Record<string, unknown>)[key]);
        // Not by assignment, for the sake of `__proto__`.
        Object.defineProperty(to, key, { value: item, enumerable: true, writable: true, configurable: true });
      }
    }
  }
  return result;
}
