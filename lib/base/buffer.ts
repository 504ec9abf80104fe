/**
 * Buffers over memory that is there already, without a copy.
 *
 * `Buffer.from(memory, at, length)` takes twice as long as `new Uint8Array()`. What
 * Buffers are made with inside of Node, and what `Buffer[Symbol.species]` gives,
 * takes no longer.
 */
type BufferConstructor = new (memory: ArrayBufferLike, at: number, length: number) => Buffer;

function slowBuffer(memory: ArrayBuffer, at: number, length: number): Buffer {
  return Buffer.from(memory, at, length);
}

/** Whether it makes what Buffer.from() makes. `Buffer` itself must not be called with `new`. */
function makesBuffers(species: unknown): species is BufferConstructor {
  if (typeof species !== 'function' || species === Buffer) return false;
  try {
    const made = new (species as BufferConstructor)(new ArrayBuffer(8), 3, 4);
    return Object.getPrototypeOf(made) === Buffer.prototype && made.byteOffset === 3 && made.length === 4;
  } catch {
    return false;
  }
}

const species: unknown = (Buffer as unknown as { [Symbol.species]?: unknown })[Symbol.species];
const BufferOver = makesBuffers(species) ? species : (slowBuffer as unknown as BufferConstructor);

export function bufferOver(memory: ArrayBufferLike, at: number, length: number): Buffer {
  return new BufferOver(memory, at, length);
}
