// The kinds of logs: what their entries are, and how these are taken apart.
import {
  AtomicLog,
  bytes,
  json,
  structured,
  utf8,
  type Chunk,
  type Codec,
  type Cursor,
  type NumberLogOptions,
  type Span,
} from 'atomic-log';

import { DATA_BYTES, type Capacities } from './log-model';

export type Column = Record<number, unknown> & { readonly buffer: ArrayBufferLike };

/** A kind of log: what entry number `n` is, and how entries are taken apart and put together. */
export interface Kind {
  readonly name: string;
  readonly make: (capacities: Capacities) => AtomicLog<unknown>;
  /** What those need who attach. */
  readonly codec?: Codec<unknown>;
  /** Bytes of the entry in each field of variable size. */
  readonly sizes: (entry: unknown) => number[];
  /** Values that the log refuses. */
  readonly refused: readonly unknown[];
  readonly entry: (n: number) => unknown;
  /** The forms that a batch of entries may take. */
  readonly batches: readonly ((entries: readonly unknown[]) => unknown)[];
  readonly columns: (view: Chunk<unknown> | Span<unknown>) => Column[];
  /** The values of an entry, one per column, and back. */
  readonly split: (entry: unknown) => unknown[];
  readonly join: (values: readonly unknown[]) => unknown;
  readonly entryAt: (cursor: Cursor<unknown>) => unknown;
}

const TOO_LONG = 'x'.repeat(DATA_BYTES + 1);

const asArray = (entries: readonly unknown[]): unknown => entries;
const asGenerator = (entries: readonly unknown[]): unknown => entries.values();

function ofScalars(
  type: 'f64' | 'i32' | 'u64',
  entry: (n: number) => unknown,
  asTypedArray: (entries: readonly unknown[]) => unknown,
): Kind {
  return {
    name: type,
    make: (capacities) => new AtomicLog({ ...capacities, type } as NumberLogOptions) as AtomicLog<unknown>,
    sizes: () => [],
    refused: ['1', undefined],
    entry,
    batches: [asArray, asGenerator, asTypedArray],
    columns: (view) => [view.values as unknown as Column],
    split: (entry) => [entry],
    join: ([value]) => value,
    entryAt: (cursor) => cursor.value,
  };
}

interface Row {
  a: number;
  b: bigint;
  c: number;
}

const rows: Kind = {
  name: 'records',
  make: (capacities) => {
    const log = new AtomicLog({ ...capacities, schema: { a: 'f32', b: 'i64', c: 'u16' } });
    return log as unknown as AtomicLog<unknown>;
  },
  sizes: () => [],
  refused: [{ a: 1, b: 1n, c: -1 }, { a: 1 }],
  entry: (n) => ({ a: n / 2, b: BigInt(-n), c: n }),
  batches: [
    asArray,
    asGenerator,
    (entries) => ({
      a: Float32Array.from(entries as Row[], ({ a }) => a),
      b: BigInt64Array.from(entries as Row[], ({ b }) => b),
      c: Uint16Array.from(entries as Row[], ({ c }) => c),
    }),
  ],
  columns: (view) => ['a', 'b', 'c'].map((name) => view.column(name as never) as Column),
  split: (entry) => Object.values(entry as Row),
  join: ([a, b, c]) => ({ a, b, c }),
  entryAt: (cursor) => rows.join(['a', 'b', 'c'].map((name) => cursor.get(name as never))),
};

/** The values of a field of variable size, where typed arrays are expected. */
function listOf(column: { readonly data: Uint8Array } & Iterable<unknown>): Column {
  return Object.assign([...column], { buffer: column.data.buffer }) as unknown as Column;
}

/** Texts of up to eleven bytes, not all ASCII. */
const textOf = (n: number): string => 'é€'.slice(0, n % 3).repeat((n * 7) % 3) + String(n % 10);
const bytesOf = (n: number): Uint8Array => new Uint8Array((n * 5) % 9).fill(n);

interface Line {
  text: string;
  n: number;
  raw: Uint8Array;
}

const lines: Kind = {
  name: 'records with strings and bytes',
  make: (capacities) => {
    const schema = { text: 'utf8', n: 'i16', raw: 'bytes' } as const;
    const log = new AtomicLog({ ...capacities, schema, dataBytes: DATA_BYTES });
    return log as unknown as AtomicLog<unknown>;
  },
  sizes: (entry) => [Buffer.byteLength((entry as Line).text), (entry as Line).raw.length],
  refused: [
    { text: TOO_LONG, n: 1, raw: bytesOf(1) },
    { text: 1, n: 1, raw: bytesOf(1) },
    { text: '', n: 1, raw: new Uint8Array(DATA_BYTES + 1) },
  ],
  entry: (n) => ({ text: textOf(n), n, raw: bytesOf(n) }),
  batches: [
    asArray,
    asGenerator,
    (entries) => ({
      text: (entries as Line[]).map(({ text }) => text),
      n: Int16Array.from(entries as Line[], ({ n }) => n),
      raw: {
        offsets: Int32Array.from([0, ...(entries as Line[])], (_, i) =>
          (entries as Line[]).slice(0, i).reduce((sum, { raw }) => sum + raw.length, 0),
        ),
        data: new Uint8Array(Buffer.concat((entries as Line[]).map(({ raw }) => raw))),
      },
    }),
  ],
  columns: (view) => {
    const chunk = view as Chunk<Line>;
    return [
      listOf(chunk.column('text')),
      chunk.column('n') as unknown as Column,
      listOf(chunk.column('raw')),
    ];
  },
  split: (entry) => Object.values(entry as Line),
  join: ([text, n, raw]) => ({ text, n, raw }),
  entryAt: (cursor) => lines.join(['text', 'n', 'raw'].map((name) => cursor.get(name as never))),
};

function ofCodec<T>(
  codec: Codec<T>,
  entry: (n: number) => T,
  encode: (value: T) => Uint8Array,
  refused: readonly unknown[],
): Kind {
  return {
    name: `the codec ${codec.name}`,
    make: (capacities) =>
      new AtomicLog({ ...capacities, codec, dataBytes: DATA_BYTES }) as unknown as AtomicLog<unknown>,
    codec: codec as Codec<unknown>,
    sizes: (value) => [encode(value as T).length],
    refused,
    entry,
    batches: [asArray, asGenerator],
    columns: (view) => [listOf((view as Chunk<T>).encoded)],
    split: (value) => [value],
    join: ([value]) => value,
    entryAt: (cursor) => cursor.value,
  };
}

interface Pair {
  n: number;
  text: string;
}

/** A user's codec that writes in place, throws half-way, and uses its memory again. */
const scratch = new Uint8Array(64);
const pairs: Codec<Pair> = {
  name: 'pairs',
  encode(value) {
    return scratch.slice(0, this.encodeInto!(value, scratch));
  },
  encodeInto({ n, text }, target) {
    if (target.length === 0) return -1;
    target[0] = n;
    target.fill(0xff, 1);
    if (text === 'throw') throw new Error('half-way');
    const { read, written } = new TextEncoder().encodeInto(text, target.subarray(1));
    return read < text.length ? -1 : 1 + written;
  },
  decode: (view) => ({ n: view[0]!, text: new TextDecoder().decode(view.subarray(1)) }),
};

export const kinds: readonly Kind[] = [
  lines,
  ofCodec(utf8, textOf, (text) => Buffer.from(text), [TOO_LONG, 1]),
  ofCodec(bytes, bytesOf, (value) => value, [Buffer.from(TOO_LONG), 'text']),
  ofCodec(
    json<object>(),
    (n) => [textOf(n)],
    (value) => Buffer.from(JSON.stringify(value)),
    [TOO_LONG, undefined],
  ),
  ofCodec(
    structured<unknown>(),
    (n) => textOf(n),
    (value) => structured().encode(value),
    [TOO_LONG, () => 1],
  ),
  ofCodec(
    pairs,
    (n) => ({ n: n % 256, text: textOf(n) }),
    (value) => pairs.encode(value),
    [
      { n: 1, text: 'throw' },
      { n: 1, text: TOO_LONG },
    ],
  ),
  ofScalars(
    'f64',
    (n) => n,
    (entries) => Float64Array.from(entries as number[]),
  ),
  ofScalars(
    'i32',
    (n) => ~n,
    (entries) => Int32Array.from(entries as number[]),
  ),
  ofScalars(
    'u64',
    (n) => 2n ** 63n + BigInt(n),
    (entries) => BigUint64Array.from(entries as bigint[]),
  ),
  rows,
];
