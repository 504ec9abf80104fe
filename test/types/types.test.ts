/**
 * What the types of the package promise. The compiler checks this file; the
 * first test runs it, because jest itself strips types without a look at them.
 * An expectation of an error that does not occur is an error as well, so that
 * no line here is unable to fail.
 */
import { dirname, join } from 'node:path';

import {
  AtomicLog,
  bytes,
  Chunk,
  defineSchema,
  json,
  Snapshot,
  structured,
  utf8,
  VarColumn,
  Writer,
  type ArrayOf,
  type AtomicLogError,
  type BigIntArray,
  type Codec,
  type ColumnOf,
  type FieldArrayOf,
  type Entries,
  type ErrorCode,
  type LogHandle,
  type LogOptions,
  type LogStats,
  type ProcessStats,
  type ReaderStats,
  type NumberArray,
  type RecordOf,
  type ScalarOf,
  type ScalarType,
  type Schema,
  type SnapshotChange,
  type ValueOf,
} from 'atomic-log';
import ts from 'typescript';

type Same<A, B> =
  (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : 'these types differ';

/** Each can be assigned to the other. */
type Alike<A, B> = [A] extends [B]
  ? [B] extends [A]
    ? true
    : 'the second does not fit'
  : 'the first does not fit';

/** Compiles only when the type argument is `true`. */
function expectType<_Result extends true>(): void {
  // The compiler has done the work.
}

/** `exactly<T>()(value)` compiles only when `value` has the type `T`, no wider and no narrower one. */
function exactly<Expected>(): <Actual>(
  value: Actual,
  ...differs: Same<Expected, Actual> extends true ? [] : [never]
) => void {
  return () => {
    // The compiler has done the work.
  };
}

const size = { retainedCapacity: 8, segmentCapacity: 4 } as const;

test('this file compiles', () => {
  const configPath = join(__dirname, '..', 'tsconfig.json');
  const { config } = ts.readConfigFile(configPath, ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(configPath));
  const program = ts.createProgram([__filename], options);
  const messages = ts
    .getPreEmitDiagnostics(program)
    .map((diagnostic) => ts.formatDiagnostic(diagnostic, formatHost));
  expect(messages).toEqual([]);
});

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => __dirname,
  getNewLine: () => '\n',
};

describe('the type of the entries follows from the options', () => {
  test('numbers, unless said otherwise', () => {
    const log = new AtomicLog(size);
    const { writer, log: claimed } = AtomicLog.claimed(size);
    exactly<AtomicLog<ScalarOf<'f64'>>>()(log);
    exactly<AtomicLog<ScalarOf<'f64'>>>()(claimed);
    exactly<Writer<ScalarOf<'f64'>>>()(writer);
    writer.append(0.5);
    expect([log.latest(), claimed.latest()]).toEqual([undefined, 0.5]);
  });

  test('numbers for each of the number types', () => {
    const logs = [
      new AtomicLog({ ...size, type: 'f64' }),
      new AtomicLog({ ...size, type: 'f32' }),
      new AtomicLog({ ...size, type: 'i8' }),
      new AtomicLog({ ...size, type: 'u8' }),
      new AtomicLog({ ...size, type: 'i16' }),
      new AtomicLog({ ...size, type: 'u16' }),
      new AtomicLog({ ...size, type: 'i32' }),
      new AtomicLog({ ...size, type: 'u32' }),
    ];
    const asNumbers: AtomicLog<number>[] = logs;
    expect(asNumbers.map(String)).toEqual(logs.map(() => expect.stringMatching(/^AtomicLog<[fiu]\d+> /)));
  });

  test('bigints for the 64-bit integers', () => {
    const log = new AtomicLog({ ...size, type: 'u64' });
    const { writer } = AtomicLog.claimed({ ...size, type: 'i64' });
    exactly<AtomicLog<ScalarOf<'u64'>>>()(log);
    exactly<Writer<ScalarOf<'i64'>>>()(writer);
    writer.append(-1n);
    expect([log.latest(), writer.log.latest()]).toEqual([undefined, -1n]);
  });

  test('records for a schema, field by field', () => {
    const schema = { at: 'i64', price: 'f64', size: 'u32' } as const;
    const log = new AtomicLog({ ...size, schema });
    const { writer } = AtomicLog.claimed({ ...size, schema: { at: 'u64', flags: 'u8' } });
    exactly<AtomicLog<RecordOf<typeof schema>>>()(log);
    exactly<Writer<RecordOf<{ at: 'u64'; flags: 'u8' }>>>()(writer);
    writer.append({ at: 1n, flags: 2 });
    expect([log.latest(), writer.log.latest()]).toEqual([undefined, { at: 1n, flags: 2 }]);
    expectType<Alike<RecordOf<typeof schema>, { at: bigint; price: number; size: number }>>();
  });

  test('strings and bytes for fields of variable size', () => {
    const schema = { at: 'f64', name: 'utf8', raw: 'bytes' } as const;
    const { writer, log } = AtomicLog.claimed({ ...size, schema, dataBytes: 64 });
    exactly<AtomicLog<RecordOf<typeof schema>>>()(log);
    writer.append({ at: 1, name: 'a', raw: Uint8Array.of(1) });
    expectType<Alike<RecordOf<typeof schema>, { at: number; name: string; raw: Uint8Array }>>();
    // @ts-expect-error -- a field has the wrong type
    expect(() => writer.append({ at: 1, name: 1, raw: new Uint8Array(1) })).toThrow();
    // @ts-expect-error -- a number has no bytes
    expect(() => new AtomicLog({ ...size, type: 'f64', dataBytes: 64 })).toThrow();
  });

  test('whatever a codec decodes', () => {
    interface Order {
      id: number;
      tags: string[];
    }
    exactly<AtomicLog<string>>()(new AtomicLog({ ...size, codec: utf8 }));
    exactly<AtomicLog<Uint8Array>>()(new AtomicLog({ ...size, codec: bytes }));
    exactly<AtomicLog<Order>>()(new AtomicLog({ ...size, codec: json<Order>() }));
    exactly<AtomicLog<unknown>>()(new AtomicLog({ ...size, codec: json() }));
    exactly<AtomicLog<Map<string, Order>>>()(
      new AtomicLog({ ...size, codec: structured<Map<string, Order>>() }),
    );
    const mine: Codec<Date> = {
      name: 'date',
      encode: (date) => new Uint8Array(Float64Array.of(date.getTime()).buffer),
      decode: (view) => new Date(new Float64Array(view.slice().buffer)[0]!),
    };
    const { writer, log } = AtomicLog.claimed({ ...size, codec: mine, dataBytes: 64 });
    exactly<Writer<Date>>()(writer);
    writer.append(new Date(5));
    const attached = AtomicLog.attach(log.handle, { codec: mine });
    exactly<AtomicLog<Date>>()(attached);
    expect(attached.latest()).toEqual(new Date(5));
    // @ts-expect-error -- no string in a log of dates
    expect(() => writer.append('1970-01-01')).toThrow();
    // @ts-expect-error -- a codec of other values
    expect(() => AtomicLog.attach(log.handle, { codec: utf8 })).toThrow();
    // @ts-expect-error -- a log holds numbers or values of a codec
    expect(() => new AtomicLog({ ...size, type: 'f64', codec: utf8 })).toThrow();
    // @ts-expect-error -- a codec decodes
    expect(() => new AtomicLog({ ...size, codec: { name: 'a', encode: mine.encode } })).toThrow();
  });

  test('a function may take logs by their entries alone', () => {
    const endOf = (log: AtomicLog<{ a: number }>): number => log.endIndex;
    const appendTo = (writer: Writer<number>): number => writer.append(1);
    expect(endOf(new AtomicLog({ ...size, schema: { a: 'f32' } }))).toBe(0);
    expect(appendTo(AtomicLog.claimed({ ...size, type: 'i8' }).writer)).toBe(0);
  });

  test('a handle carries it to the other threads', () => {
    const { handle } = new AtomicLog({ ...size, schema: { a: 'f64', b: 'i64' } });
    const attached = AtomicLog.attach(handle);
    exactly<LogHandle<RecordOf<{ a: 'f64'; b: 'i64' }>>>()(handle);
    exactly<AtomicLog<RecordOf<{ a: 'f64'; b: 'i64' }>>>()(attached);
    const posted = structuredClone(handle);
    exactly<typeof handle>()(posted);
    const numbers = new AtomicLog(size).handle as LogHandle;
    exactly<AtomicLog<number>>()(AtomicLog.attach<number>(numbers as LogHandle<number>));
    const named = () => AtomicLog.attach<{ a: number }>(numbers as never, { name: 'reader' });
    exactly<AtomicLog<{ a: number }>>()(named());
    expect(posted).toEqual(handle);
  });

  test('defineSchema() keeps the types of fields, without as const', () => {
    const trades = defineSchema({ at: 'i64', price: 'f32', text: 'utf8' });
    exactly<Readonly<{ at: 'i64'; price: 'f32'; text: 'utf8' }>>()(trades);
    expectType<Alike<RecordOf<typeof trades>, { at: bigint; price: number; text: string }>>();
    const { writer, log } = AtomicLog.claimed({ ...size, schema: trades });
    exactly<AtomicLog<RecordOf<typeof trades>>>()(log);
    writer.append({ at: 1n, price: 0.5, text: 'a' });
    expect(() => {
      // @ts-expect-error -- it is frozen
      trades.at = 'i64';
    }).toThrow(TypeError);
    // @ts-expect-error -- there is no such type of a field
    expect(() => defineSchema({ a: 'utf16' })).toThrow();
  });

  test('attach() takes it from a schema, whatever is known of the handle', () => {
    const trades = defineSchema({ at: 'i64', price: 'f32', text: 'utf8' });
    const log = new AtomicLog({ ...size, schema: trades });
    const posted = structuredClone(log.handle) as unknown;
    const attached = AtomicLog.attach(posted as LogHandle, { schema: trades, name: 'reader' });
    exactly<AtomicLog<RecordOf<typeof trades>>>()(attached);
    using snapshot = attached.snapshot();
    exactly<Float32Array | undefined>()(snapshot.chunks()[0]?.column('price'));
    exactly<VarColumn<string> | undefined>()(snapshot.chunks()[0]?.column('text'));
    const fromAny = AtomicLog.attach(posted as any, { schema: { at: 'i64', price: 'f32', text: 'utf8' } });
    exactly<AtomicLog<RecordOf<{ at: 'i64'; price: 'f32'; text: 'utf8' }>>>()(fromAny);
    exactly<AtomicLog<RecordOf<typeof trades>>>()(AtomicLog.attach(log.handle, { name: 'reader' }));
    // @ts-expect-error -- a log holds records or values of a codec
    expect(() => AtomicLog.attach(log.handle, { schema: trades, codec: utf8 })).toThrow();
    // @ts-expect-error -- there is no such option
    expect(() => AtomicLog.attach(log.handle, { shema: trades })).toThrow();
  });

  test('options that exclude each other do not compile', () => {
    // @ts-expect-error -- the capacities are required
    expect(() => new AtomicLog({ retainedCapacity: 8 })).toThrow();
    // @ts-expect-error -- a log holds numbers or records
    expect(() => new AtomicLog({ ...size, type: 'f64', schema: { a: 'f64' } })).toThrow();
    // @ts-expect-error -- there is no such type
    expect(() => new AtomicLog({ ...size, type: 'f16' })).toThrow();
    // @ts-expect-error -- there is no such type of a field
    expect(() => new AtomicLog({ ...size, schema: { a: 'utf16' } })).toThrow();
    // @ts-expect-error -- capacities are numbers
    expect(() => new AtomicLog({ retainedCapacity: '8', segmentCapacity: 4 })).toThrow();
    // @ts-expect-error -- there is no such mapping
    expect(() => new AtomicLog({ ...size, mapping: 'copied' })).toThrow();
  });
});

describe('reading', () => {
  test('entries have the type of the log, and may be missing', () => {
    const { writer, log } = AtomicLog.claimed(size);
    writer.append(1);
    using snapshot = log.snapshot();
    const first = snapshot.at(0);
    const same = snapshot.get(0);
    exactly<Snapshot<ScalarOf<'f64'>>>()(snapshot);
    exactly<ScalarOf<'f64'> | undefined>()(first);
    exactly<ScalarOf<'f64'> | undefined>()(same);
    for (const entry of snapshot) exactly<ScalarOf<'f64'>>()(entry);
    const spread = [...snapshot];
    const numbers: number[] = spread;
    expect([first, same, numbers]).toEqual([1, 1, [1]]);
    // @ts-expect-error -- there may be no such entry
    expect(first.toFixed()).toBe('1');
  });

  test('values are typed arrays of numbers or of bigints', () => {
    const { writer, log } = AtomicLog.claimed(size);
    writer.append(2);
    using snapshot = log.snapshot();
    for (const chunk of snapshot.chunks()) {
      const { values } = chunk;
      exactly<Chunk<ScalarOf<'f64'>>>()(chunk);
      exactly<Float64Array>()(values);
      let sum = 0;
      for (const value of values) sum += value;
      for (let i = 0; i < values.length; ++i) sum += values[i]!;
      expect(sum).toBe(4);
    }
    using bigints = new AtomicLog({ ...size, type: 'i64' }).snapshot();
    for (const { values } of bigints.chunks()) exactly<BigInt64Array>()(values);
  });

  test('columns have the type of their field', () => {
    const { writer, log } = AtomicLog.claimed({ ...size, schema: { at: 'i64', price: 'f64' } });
    writer.append({ at: 1n, price: 2 });
    using snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    const at = chunk!.column('at');
    const price = chunk!.column('price');
    const entry = chunk!.at(0);
    exactly<BigInt64Array>()(at);
    exactly<Float64Array>()(price);
    exactly<RecordOf<{ at: 'i64'; price: 'f64' }> | undefined>()(entry);
    // @ts-expect-error -- the log has no such field
    expect(() => chunk!.column('size')).toThrow();
    expectType<Same<Chunk<{ at: bigint; price: number }>['values'], never>>();
  });

  test('columns of variable size are strings or bytes', () => {
    const { writer, log } = AtomicLog.claimed({ ...size, schema: { name: 'utf8', raw: 'bytes', at: 'i64' } });
    writer.append({ name: 'a', raw: Uint8Array.of(1), at: 1n });
    using snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    const name = chunk!.column('name');
    const raw = chunk!.column('raw');
    exactly<VarColumn<string>>()(name);
    exactly<VarColumn<Uint8Array>>()(raw);
    exactly<BigInt64Array>()(chunk!.column('at'));
    exactly<string | undefined>()(name.at(0));
    exactly<Uint8Array | undefined>()(raw.at(0));
    for (const text of name) exactly<string>()(text);
    expect([name.offsets[1], raw.data[0], name.bytesAt(0)?.length]).toEqual([1, 1, 1]);
    writer.appendBatch({ name: ['b'], raw, at: BigInt64Array.of(2n) });
    const times = new BigInt64Array(1);
    exactly<number>()(snapshot.copyInto('at', times, snapshot.lowerBound('at', 1n), snapshot.endIndex));
    exactly<number>()(snapshot.lowerBound('name', 'a'));
    // @ts-expect-error -- strings and bytes fit no typed array
    expect(() => snapshot.copyInto('name', new Uint8Array(1))).toThrow();
    // @ts-expect-error -- the column comes first
    expect(() => snapshot.copyInto(times, 'at')).toThrow();
    // @ts-expect-error -- the typed array of another column
    expect(() => snapshot.copyInto('at', new Float64Array(1))).toThrow();
    // @ts-expect-error -- the value of another column
    expect(() => snapshot.lowerBound('at', 1)).toThrow();
    using numbers = new AtomicLog(size).snapshot();
    expect([numbers.copyInto(new Float64Array(1), 0), numbers.lowerBound(0)]).toEqual([0, 0]);
    // @ts-expect-error -- numbers have no columns
    expect(() => numbers.copyInto('value', new Float64Array(1))).toThrow();
    // @ts-expect-error -- a column holds the wrong values
    expect(() => writer.appendBatch({ name: [1], raw: [], at: new BigInt64Array(0) })).toThrow();
  });

  test('values of a codec', () => {
    const { writer, log } = AtomicLog.claimed({ ...size, codec: json<{ a: number }>() });
    writer.appendBatch([{ a: 1 }]);
    using snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    exactly<VarColumn<{ a: number }>>()(chunk!.encoded);
    const cursor = snapshot.cursor();
    exactly<{ a: number } | undefined>()(cursor.value);
    exactly<{ a: number } | undefined>()(chunk!.encoded.at(0));
    expect(chunk!.at(0)).toEqual({ a: 1 });
  });

  test('changes are numbers, and not to be written', () => {
    using snapshot = new AtomicLog(size).snapshot();
    const change: SnapshotChange = snapshot.refresh();
    const { appended, lost } = snapshot.extend();
    exactly<number>()(appended);
    exactly<number>()(lost);
    expect(appended + lost).toBe(0);
    expect(() => {
      // @ts-expect-error -- the library writes it
      change.appended = 1;
    }).toThrow(TypeError);
  });

  test('what is read-only is so for the compiler too', () => {
    const { writer, log } = AtomicLog.claimed(size);
    writer.append(1);
    using snapshot = log.snapshot();
    const assignments = [
      // @ts-expect-error -- read-only
      () => (snapshot.length = 1),
      // @ts-expect-error -- read-only
      () => (log.endIndex = 1),
      // @ts-expect-error -- read-only
      () => (writer.nextIndex = 1),
      // @ts-expect-error -- read-only
      () => (writer.log = log),
    ];
    for (const assign of assignments) expect(assign).toThrow(TypeError);
  });

  test('statistics are named numbers', () => {
    const stats: LogStats = new AtomicLog(size).stats();
    exactly<string | undefined>()(stats.name);
    exactly<ReaderStats[]>()(stats.readers);
    expectType<Same<ReaderStats['threadId'], number | undefined>>();
    exactly<ProcessStats[]>()(stats.processes);
    type Numbers = Omit<LogStats, 'name' | 'readers' | 'processes'>;
    expectType<Same<Numbers[keyof Numbers], number>>();
  });
});

describe('writing', () => {
  test('a writer takes the entries of its log only', () => {
    const { writer } = AtomicLog.claimed(size);
    const index = writer.append(1);
    exactly<number>()(index);
    // @ts-expect-error -- no bigint in a log of numbers
    expect(() => writer.append(1n)).toThrow();
    // @ts-expect-error -- no string in a log of numbers
    expect(() => writer.write('1')).toThrow();
    // @ts-expect-error -- no record in a log of numbers
    expect(() => writer.append({ value: 1 })).toThrow();
  });

  test('a record needs all fields, with their types', () => {
    const { writer } = AtomicLog.claimed({ ...size, schema: { at: 'i64', price: 'f64' } });
    writer.append({ at: 1n, price: 1 });
    // @ts-expect-error -- a field is missing
    expect(() => writer.append({ at: 1n })).toThrow();
    // @ts-expect-error -- a field has the wrong type
    expect(() => writer.append({ at: 1, price: 1 })).toThrow();
    // @ts-expect-error -- there is no such field
    expect(() => writer.append({ at: 1n, price: 1, size: 1 })).toThrow();
  });

  test('a batch of numbers is an iterable or a typed array of numbers', () => {
    const { writer } = AtomicLog.claimed(size);
    const batches: Entries<number>[] = [[1], new Set([1]), [1].values(), Float64Array.of(1), Int8Array.of(1)];
    for (const batch of batches) writer.appendBatch(batch);
    // @ts-expect-error -- bigints in a log of numbers
    expect(() => writer.appendBatch(BigInt64Array.of(1n))).toThrow();
    // @ts-expect-error -- a single number is no batch
    expect(() => writer.appendBatch(1)).toThrow();
    // @ts-expect-error -- a log of numbers has no columns
    expect(() => writer.appendBatch({ value: Float64Array.of(1) })).toThrow();
    expect(writer.nextIndex).toBe(5);
  });

  test('a batch of records is an iterable, or one typed array per field', () => {
    const { writer } = AtomicLog.claimed({ ...size, schema: { at: 'i64', price: 'f64' } });
    writer.appendBatch([{ at: 1n, price: 1 }]);
    writer.appendBatch({ at: BigInt64Array.of(1n), price: Float64Array.of(1) });
    // @ts-expect-error -- a column is missing
    expect(() => writer.appendBatch({ at: BigInt64Array.of(1n) })).toThrow();
    // @ts-expect-error -- a column holds the wrong values
    expect(() => writer.appendBatch({ at: Float64Array.of(1), price: Float64Array.of(1) })).toThrow();
    // @ts-expect-error -- a typed array of numbers holds no records
    expect(() => writer.appendBatch(Float64Array.of(1))).toThrow();
    expect(writer.nextIndex).toBe(2);
  });

  test('a claim may fail, which the types do not let one forget', () => {
    const log = new AtomicLog(size);
    using writer = log.tryClaimWriter();
    exactly<Writer<ScalarOf<'f64'>> | null>()(writer);
    // @ts-expect-error -- there may be no writer
    expect(writer.append(1)).toBe(0);
    expect(writer?.append(2)).toBe(1);
  });
});

describe('the classes', () => {
  test('are made by the library only', () => {
    // @ts-expect-error -- use log.tryClaimWriter()
    expect(() => new Writer()).toThrow(TypeError);
    // @ts-expect-error -- use log.snapshot()
    expect(() => new Snapshot()).toThrow(TypeError);
    // @ts-expect-error -- use snapshot.chunks()
    expect(() => new Chunk()).toThrow(TypeError);
  });

  test('can be named as types, and told apart', () => {
    const take = (log: AtomicLog<number>): Snapshot<number> => log.snapshot();
    const log = new AtomicLog({ ...size, type: 'i64' });
    // @ts-expect-error -- a log of bigints is no log of numbers
    take(log).close();
    // @ts-expect-error -- the log itself is no handle
    expect(() => AtomicLog.attach(log)).toThrow(TypeError);
    expect(log).toBeInstanceOf(AtomicLog);
  });

  test('work with using', () => {
    const { writer, log } = AtomicLog.claimed(size);
    const disposables: Disposable[] = [writer, log, log.snapshot()];
    for (const disposable of disposables) disposable[Symbol.dispose]();
    expect(() => log.endIndex).toThrow();
  });
});

test('helper types', () => {
  expectType<Same<ValueOf<'f32'>, number>>();
  expectType<Same<ValueOf<'u64'>, bigint>>();
  expectType<Same<ValueOf<ScalarType>, number | bigint>>();
  expectType<Same<ArrayOf<number>, NumberArray>>();
  expectType<Same<ArrayOf<bigint>, BigIntArray>>();
  expectType<Same<ArrayOf<string>, never>>();
  expectType<Same<ValueOf<'utf8'>, string>>();
  expectType<Same<ValueOf<'bytes'>, Uint8Array>>();
  expectType<Same<ArrayOf<ScalarOf<'u16'>>, Uint16Array>>();
  expectType<Alike<ScalarOf<'u16'>, number>>();
  expectType<Alike<ScalarOf<'u64'>, bigint>>();
  // A record whose fields are known, but not how they are stored.
  expectType<Same<ColumnOf<{ a: string; b: bigint }, 'a'>, VarColumn<string>>>();
  expectType<Same<ColumnOf<{ a: string; b: bigint }, 'b'>, BigIntArray>>();
  expectType<Same<FieldArrayOf<RecordOf<{ a: 'u8'; b: 'f32' }>, 'b'>, Float32Array>>();
  const schema: Schema = { a: 'f64' };
  const options: LogOptions[] = [
    size,
    { ...size, type: 'i64' },
    { ...size, schema },
    { ...size, codec: json<string>(), dataBytes: 9 },
  ];
  expect(options).toHaveLength(4);
});

test('errors can be told apart by their code', () => {
  try {
    AtomicLog.attach({} as LogHandle);
  } catch (error) {
    const { code, message } = error as AtomicLogError;
    exactly<ErrorCode>()(code);
    exactly<string>()(message);
    // @ts-expect-error -- there is no such code
    expect(code === 'ERR_NO_SUCH_CODE').toBe(false);
    expect(code).toBe('ERR_INVALID_HANDLE');
  }
  expect.assertions(2);
});
