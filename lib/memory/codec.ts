/**
 * What a log of any values needs: how a value becomes bytes and a value again.
 */
import { TextEncoder } from 'node:util';

import { describe, invalidType, typeError, type AtomicLogError } from '../base/errors';
import { accepts, Kind, refusal } from '../base/scalar';
import { deserializeValue, serializeValue } from './structured';
import { readText } from '../base/text';
import { typedArrayLength, typedArrayTag } from '../base/typed-array';
import type { Payload, VarArea } from './var-area';

/**
 * How the values of a log become bytes and values again: `utf8`, `bytes`,
 * `json()`, `structured()`, or your own.
 *
 * ```ts
 * const codec: Codec<Date> = {
 *   name: 'date',
 *   encode: (date) => new Uint8Array(Float64Array.of(date.getTime()).buffer),
 *   decode: (bytes) => new Date(new Float64Array(bytes.slice().buffer)[0]!),
 * };
 * ```
 *
 * An exception that a codec throws passes through unchanged, and nothing has
 * changed in the log then.
 */
export interface Codec<T> {
  /** Names the codec to those who attach: they must bring one of the same name. */
  readonly name: string;
  /** The value as bytes. They are copied at once, so that the memory can be used again for the next value. */
  encode(value: T): Uint8Array;
  /**
   * If it is there, `append()` and `write()` ask it first: it writes the value to
   * the start of `target`, which is the log's own memory, and returns how many
   * bytes it wrote, or -1 when `target` is too small; then `encode()` is asked.
   * It cannot append to the log meanwhile.
   */
  encodeInto?(value: T, target: Uint8Array): number;
  /**
   * The value of these bytes. They are a view of the log's own memory: read-only,
   * and valid during the call. Copy (`slice()`) what the value keeps of them.
   */
  decode(bytes: Uint8Array): T;
}

/** A codec as the library uses it: values go into a {@link VarArea} and come out of it. */
export interface Coder {
  readonly name: string;
  readonly kind: typeof Kind.utf8 | typeof Kind.bytes;
  /** What is stored for a value. `what` names the value in errors. Runs user code. */
  pack(value: unknown, what: string): Payload;
  /** The codec's encodeInto(). Runs user code. */
  readonly packInto: ((value: unknown, target: Uint8Array) => unknown) | undefined;
  unpack(area: VarArea, position: number): unknown;
}

const encoder = new TextEncoder();

function checked(kind: Kind, what: string, value: unknown): Payload {
  if (!accepts(kind, value)) throw refusal(kind, what, value);
  return value as Payload;
}

function toJson(value: unknown, what: string): string {
  // For undefined, functions and symbols there is none.
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw invalidType(what, 'a value that JSON can express', value);
  return text;
}

function textOf(bytes: Uint8Array): string {
  return readText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength);
}

/** Strings, stored as UTF-8. A lone surrogate becomes U+FFFD, as with `TextEncoder`. */
export const utf8: Codec<string> = {
  name: 'utf8',
  encode: (value) => encoder.encode(checked(Kind.utf8, 'value', value) as string),
  decode: textOf,
};

/** `Uint8Array`s. What is read is a copy; `chunk.encoded.bytesAt(i)` is a view. */
export const bytes: Codec<Uint8Array> = {
  name: 'bytes',
  encode: (value) => checked(Kind.bytes, 'value', value) as Uint8Array,
  decode: (bytes) => new Uint8Array(bytes),
};

const jsonCodec: Codec<unknown> = {
  name: 'json',
  encode: (value) => encoder.encode(toJson(value, 'value')),
  decode: (bytes) => JSON.parse(textOf(bytes)) as unknown,
};

const structuredCodec: Codec<unknown> = {
  name: 'structured',
  encode: serializeValue,
  // From a copy: typed arrays in the value are views of what they were read from.
  decode: (bytes) => deserializeValue(bytes.slice()),
};

/** What `JSON.stringify` and `JSON.parse` make of a value. */
export function json<T = unknown>(): Codec<T> {
  return jsonCodec as Codec<T>;
}

/** What the structured clone algorithm makes of a value (`node:v8`): maps, sets, dates, typed arrays, cycles. */
export function structured<T = unknown>(): Codec<T> {
  return structuredCodec as Codec<T>;
}

/** The codecs that every thread has: their logs can be attached to by the handle alone. */
const builtIn = new Map<string, { readonly codec: Codec<unknown>; readonly coder: Coder }>(
  [
    {
      codec: utf8,
      coder: {
        name: 'utf8',
        kind: Kind.utf8,
        pack: (value: unknown, what: string) => checked(Kind.utf8, what, value),
        packInto: undefined,
        unpack: (area: VarArea, position: number) => area.text(position),
      },
    },
    {
      codec: bytes,
      coder: {
        name: 'bytes',
        kind: Kind.bytes,
        pack: (value: unknown, what: string) => checked(Kind.bytes, what, value),
        packInto: undefined,
        unpack: (area: VarArea, position: number) => area.copy(position),
      },
    },
    {
      codec: jsonCodec,
      coder: {
        name: 'json',
        kind: Kind.utf8,
        pack: toJson,
        packInto: undefined,
        unpack: (area: VarArea, position: number) => JSON.parse(area.text(position)) as unknown,
      },
    },
    {
      codec: structuredCodec,
      coder: {
        name: 'structured',
        kind: Kind.bytes,
        pack: serializeValue,
        packInto: undefined,
        unpack: (area: VarArea, position: number) => deserializeValue(area.copy(position)),
      },
    },
  ].map((entry) => [entry.coder.name, entry as { codec: Codec<unknown>; coder: Coder }]),
);

export const isBuiltIn = (name: string): boolean => builtIn.has(name);

/** The coder of a codec that a user gave. Reads each property once. */
export function coderOf(codec: unknown): Coder {
  if (typeof codec !== 'object' || codec === null) {
    throw invalidType('options.codec', 'a codec: utf8, bytes, json(), structured() or your own', codec);
  }
  const { name, encode, encodeInto, decode } = codec as Partial<Codec<unknown>>;
  if (typeof name !== 'string') throw invalidType('options.codec.name', 'a string', name);
  const known = builtIn.get(name);
  if (known !== undefined && codec === known.codec) return known.coder;
  if (name === '' || known !== undefined) {
    throw typeError(
      'ERR_INVALID_ARG_VALUE',
      `options.codec.name ${describe(name)} is ${name === '' ? 'empty' : 'that of a codec of this package'}; choose another`,
    );
  }
  if (typeof encode !== 'function') throw invalidType('options.codec.encode', 'a function', encode);
  if (typeof decode !== 'function') throw invalidType('options.codec.decode', 'a function', decode);
  if (encodeInto !== undefined && typeof encodeInto !== 'function') {
    throw invalidType('options.codec.encodeInto', 'a function, if it is there', encodeInto);
  }
  return {
    name,
    kind: Kind.bytes,
    pack(value) {
      const packed: unknown = encode.call(codec as Codec<unknown>, value);
      if (typedArrayTag(packed) === 'Uint8Array') return packed as Uint8Array;
      throw badResult(name, 'encode() must return a Uint8Array', packed);
    },
    packInto:
      encodeInto === undefined
        ? undefined
        : (value, target) => encodeInto.call(codec as Codec<unknown>, value, target),
    unpack: (area, position) => decode.call(codec as Codec<unknown>, area.encoded(position)),
  };
}

/** The coder of a log that is attached to, whose codec has this name (undefined: none). */
export function coderFor(name: string | undefined, codec: unknown): Coder | undefined {
  const given = codec === undefined ? undefined : coderOf(codec);
  if (given?.name === name) return given;
  const known = name === undefined ? undefined : builtIn.get(name)?.coder;
  if (given === undefined && known !== undefined) return known;
  throw typeError(
    'ERR_CODEC_MISMATCH',
    name === undefined
      ? `the log has no codec, and options.codec is ${describe(given!.name)}; leave it out`
      : `the values of the log are encoded by the codec ${describe(name)}; give { codec } of that name` +
          (given === undefined ? '' : `, not ${describe(given.name)}`),
  );
}

/** Has the codec write the value into all of `target`. Returns how many bytes, or -1 when it has too little room. */
export function encodeInto({ name, packInto }: Coder, value: unknown, target: Uint8Array): number {
  const room = target.length;
  const length = packInto!(value, target);
  if (length === -1) return -1;
  if (!Number.isInteger(length) || (length as number) < 0 || (length as number) > room) {
    throw badResult(name, `encodeInto() must return -1 or a length up to ${room}`, length);
  }
  // What was written to a detached array went nowhere.
  if (typedArrayLength(target) !== room) throw badResult(name, 'encodeInto() must keep its target', target);
  return length as number;
}

/** The error for what a user's codec returned. */
function badResult(name: string, rule: string, value: unknown): AtomicLogError {
  return typeError('ERR_CODEC_RESULT', `the codec ${describe(name)}: ${rule}; got ${describe(value)}`);
}
