import { AtomicLog, utf8, type ErrorCode, type ScalarType } from 'atomic-log';

import { expectError, thrownBy } from '../../support/errors';
import { addon } from '../../support/internals';
import { entriesOf } from '../../support/logs';
import { neverScalars, scalarCases } from '../../support/scalars';

/** Options of any form; the point is that the types do not let them through. */
function make(options: unknown): AtomicLog<unknown> {
  return new AtomicLog(options as never) as unknown as AtomicLog<unknown>;
}

/** Bytes of blocks that have an owner. */
function ownedBytes(): number {
  const { mapped, idle } = addon.blockUsage();
  return mapped - idle;
}

/** Expects that neither way of making a log takes the options, and that no memory was taken for them. */
function expectRefusedOptions(options: unknown, code: ErrorCode, message: RegExp): void {
  const before = ownedBytes();
  expectError(() => make(options), code, message);
  expectError(() => AtomicLog.claimed(options as never), code, message);
  // Finalizers of logs of before may have given some back.
  expect(ownedBytes()).toBeLessThanOrEqual(before);
}

const capacities = { retainedCapacity: 8, segmentCapacity: 4 };

describe('options', () => {
  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 8],
    ['a string', 'f64'],
    ['a function', () => capacities],
  ])('must be an object; %s is not', (_name, options) => {
    expectRefusedOptions(
      options,
      'ERR_INVALID_ARG_TYPE',
      /options must be an object with retainedCapacity and segmentCapacity; got/,
    );
  });

  test('may be a class instance with getters, each read once', () => {
    const reads: string[] = [];
    const options = new Proxy(
      { ...capacities, type: 'i32', name: 'observed' },
      {
        get(target, key) {
          reads.push(String(key));
          return Reflect.get(target, key) as unknown;
        },
      },
    );
    const log = make(options);
    expect(reads.sort()).toEqual([
      'codec',
      'dataBytes',
      'firstIndex',
      'mapping',
      'name',
      'pinnedBytesMax',
      'retainedCapacity',
      'schema',
      'segmentCapacity',
      'strictViews',
      'type',
    ]);
    expect(log.stats().name).toBe('observed');
    class Options {
      get retainedCapacity(): number {
        return 5;
      }
      get segmentCapacity(): number {
        return 2;
      }
    }
    expect(make(new Options()).retainedCapacity).toBe(5);
  });

  test('firstIndex is the index of the first entry', () => {
    const { writer, log } = AtomicLog.claimed({ ...capacities, firstIndex: 2 ** 40 });
    for (let i = 0; i < 20; ++i) expect(writer.append(i)).toBe(2 ** 40 + i);
    expect(entriesOf(log)).toEqual(
      Array.from({ length: 20 - (log.firstIndex - 2 ** 40) }, (_, k) => log.firstIndex - 2 ** 40 + k),
    );
    expect(log.endIndex).toBe(2 ** 40 + 20);
    const last = AtomicLog.claimed({ ...capacities, firstIndex: 2 ** 53 - 4 });
    expect(last.writer.appendBatch([1, 2, 3, 4])).toBe(2 ** 53 - 4);
    expectError(() => last.writer.append(5), 'ERR_OUT_OF_RANGE', /indexes end/);
    expectRefusedOptions({ ...capacities, firstIndex: -1 }, 'ERR_OUT_OF_RANGE', /firstIndex/);
    expectRefusedOptions({ ...capacities, firstIndex: 2 ** 53 - 3 }, 'ERR_OUT_OF_RANGE', /firstIndex/);
    expectRefusedOptions({ ...capacities, firstIndex: 1n }, 'ERR_INVALID_ARG_TYPE', /firstIndex/);
  });

  test('pass the exception of a getter through', () => {
    const failure = new Error('from the getter');
    const options = {
      ...capacities,
      get type(): never {
        throw failure;
      },
    };
    expect(thrownBy(() => make(options))).toBe(failure);
  });

  test('are copied: changing them later changes nothing', () => {
    const schema: Record<string, ScalarType> = { a: 'f64', b: 'i32' };
    const options = { ...capacities, schema };
    const { writer, log } = AtomicLog.claimed(options);
    options.segmentCapacity = 1;
    delete schema['b'];
    schema['c'] = 'u8';
    writer.append({ a: 1, b: 2 });
    expect(log.segmentCapacity).toBe(4);
    expect(entriesOf(log)).toEqual([{ a: 1, b: 2 }]);
  });
});

describe.each(['retainedCapacity', 'segmentCapacity'])('options.%s', (name) => {
  test.each([0, -0, -1, -(2 ** 31), 0.5, 1.5, -0.5, NaN, Infinity, -Infinity, 2 ** 53, 1e300])(
    'refuses %p, which is no positive integer in range',
    (value) => {
      const message = new RegExp(`options\\.${name} must be an integer from 1 to \\d+`);
      expectRefusedOptions({ ...capacities, [name]: value }, 'ERR_OUT_OF_RANGE', message);
    },
  );

  test.each([...neverScalars, ['a bigint', 8n] as const])('refuses %s', (_name, value) => {
    const message = new RegExp(`options\\.${name} must be an integer from 1 to \\d+`);
    expectRefusedOptions({ ...capacities, [name]: value }, 'ERR_INVALID_ARG_TYPE', message);
  });

  test('is required', () => {
    const options: Record<string, unknown> = { ...capacities };
    delete options[name];
    expectRefusedOptions(options, 'ERR_INVALID_ARG_TYPE', new RegExp(`options\\.${name}`));
  });
});

describe('huge capacities', () => {
  test.each([2 ** 31, 2 ** 32, 2 ** 32 + 4, 2 ** 40])(
    'segmentCapacity %p has no count of 31 bits',
    (segmentCapacity) => {
      const message = /options\.segmentCapacity must be an integer from 1 to 2147483647/;
      expectRefusedOptions({ retainedCapacity: 8, segmentCapacity, type: 'u8' }, 'ERR_OUT_OF_RANGE', message);
    },
  );

  test.each([
    [2 ** 29, 'f64'],
    [2 ** 31 - 1, 'f64'],
    [2 ** 30, 'f32'],
    [2 ** 31 - 1, 'u16'],
  ] as const)('segments of %p entries of %s are too large to be mapped', (segmentCapacity, type) => {
    const message = /at most 4294967296 can be mapped, so choose a smaller segmentCapacity/;
    expectRefusedOptions({ retainedCapacity: 8, segmentCapacity, type }, 'ERR_OUT_OF_RANGE', message);
  });

  test('the columns of a record count together', () => {
    const schema = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`c${i}`, 'f64']));
    const message = /choose a smaller segmentCapacity/;
    expectRefusedOptions(
      { retainedCapacity: 8, segmentCapacity: 2 ** 26, schema },
      'ERR_OUT_OF_RANGE',
      message,
    );
  });

  test.each([
    [2 ** 53 - 1, 1],
    [2 ** 53 - 1, 2 ** 20],
    [2 ** 20, 1],
  ])(
    'a window of %p entries in segments of %p has too many segments',
    (retainedCapacity, segmentCapacity) => {
      const message = /more than 1048576 segments.*choose a larger segmentCapacity/;
      expectRefusedOptions({ retainedCapacity, segmentCapacity, type: 'u8' }, 'ERR_OUT_OF_RANGE', message);
    },
  );

  test('the largest window is taken, because only what is used takes memory', () => {
    using log = new AtomicLog({ retainedCapacity: 2 ** 20 - 1, segmentCapacity: 1, type: 'u8' });
    using writer = log.tryClaimWriter()!;
    writer.append(7);
    expect(entriesOf(log)).toEqual([7]);
    expect(log.stats()).toMatchObject({ retainedSegments: 1, bytes: 128 });
  });
});

describe('options.type', () => {
  test('is f64 unless said otherwise', () => {
    for (const options of [capacities, { ...capacities, type: undefined }]) {
      const { writer, log } = AtomicLog.claimed(options as typeof capacities);
      writer.append(0.1);
      const snapshot = log.snapshot();
      expect(snapshot.chunks()[0]!.values).toBeInstanceOf(Float64Array);
      snapshot.close();
    }
  });

  test.each(scalarCases)('takes $type', ({ type, arrayOf, accepted }) => {
    const log = make({ ...capacities, type });
    const writer = log.tryClaimWriter()!;
    writer.append(accepted[1]);
    const snapshot = log.snapshot();
    const { values } = snapshot.chunks()[0]! as unknown as { values: ArrayLike<unknown> };
    expect(values.constructor).toBe(arrayOf([]).constructor);
    snapshot.close();
  });

  test.each([
    '',
    'f16',
    'F64',
    ' f64',
    'number',
    'bigint',
    'constructor',
    '__proto__',
    'toString',
    'x'.repeat(99),
    'utf8',
    'bytes',
  ])('refuses the unknown type %p and lists those that there are', (type) => {
    const message = /options\.type must be one of 'f64', 'f32', 'i8', .*'u64'; got "/;
    expectRefusedOptions({ ...capacities, type }, 'ERR_INVALID_ARG_VALUE', message);
  });

  test.each([null, 0, 64, true, {}, ['f64'], new String('f64'), Float64Array])('refuses %p', (type) => {
    expectRefusedOptions(
      { ...capacities, type },
      'ERR_INVALID_ARG_TYPE',
      /options\.type must be one of 'f64'/,
    );
  });

  test('excludes options.schema', () => {
    const message = /options\.type and options\.schema exclude each other/;
    expectRefusedOptions(
      { ...capacities, type: 'f64', schema: { a: 'f64' } },
      'ERR_INVALID_ARG_VALUE',
      message,
    );
  });
});

describe('options.schema', () => {
  test.each([null, 'a', 1, true, ['f64'], [['a', 'f64']], () => ({ a: 'f64' })])('refuses %p', (schema) => {
    const message = /options\.schema must be an object of field names and types/;
    expectRefusedOptions({ ...capacities, schema }, 'ERR_INVALID_ARG_TYPE', message);
  });

  test.each([
    ['an empty object', {}],
    ['a map', new Map([['a', 'f64']])],
    ['an object with inherited fields only', Object.create({ a: 'f64' })],
    ['an object with symbols only', { [Symbol('a')]: 'f64' }],
    ['too many fields', Object.fromEntries(Array.from({ length: 4097 }, (_, i) => [`c${i}`, 'u8']))],
  ])('refuses %s', (_name, schema) => {
    const message = /the number of fields in options\.schema must be from 1 to 4096/;
    expectRefusedOptions({ ...capacities, schema }, 'ERR_OUT_OF_RANGE', message);
  });

  test.each(['', '__proto__', '0', '7', '007', '42', '4294967295', '99999999999999999999'])(
    'refuses the field name %p',
    (name) => {
      // A literal would set the prototype in the case of __proto__.
      const schema = Object.defineProperty({ a: 'f64' }, name, { value: 'f64', enumerable: true });
      const message = /names must not be empty, '__proto__' or all digits/;
      expectRefusedOptions({ ...capacities, schema }, 'ERR_INVALID_ARG_VALUE', message);
    },
  );

  test.each(['f16', 'utf16', 'string', ''])('refuses the unknown type %p and names the field', (type) => {
    const message = /options\.schema\["price"\] must be one of 'f64'/;
    expectRefusedOptions(
      { ...capacities, schema: { id: 'u32', price: type } },
      'ERR_INVALID_ARG_VALUE',
      message,
    );
  });

  test.each([undefined, null, 8, {}, ['f64']])('refuses the type %p', (type) => {
    const message = /options\.schema\["price"\] must be one of 'f64'/;
    expectRefusedOptions(
      { ...capacities, schema: { id: 'u32', price: type } },
      'ERR_INVALID_ARG_TYPE',
      message,
    );
  });

  test('takes every other name, and keeps them apart from the prototype', () => {
    const names = [
      'constructor',
      'toString',
      'hasOwnProperty',
      'length',
      'values',
      '-1',
      '1.5',
      ' ',
      'π',
      '\ud800',
      '\0',
    ];
    const { writer, log } = AtomicLog.claimed({
      ...capacities,
      schema: Object.fromEntries(names.map((name) => [name, 'f64'])) as Record<string, 'f64'>,
    });
    const record = Object.fromEntries(names.map((name, i) => [name, i]));
    writer.append(record);
    using attached = AtomicLog.attach(log.handle);
    const [entry] = entriesOf(attached);
    expect(entry).toEqual(record);
    expect(Object.keys(entry!)).toEqual(names);
    expect(Object.getPrototypeOf(entry!)).toBe(Object.getPrototypeOf({}));
  });

  test('takes as many fields as there may be', () => {
    const names = Array.from({ length: 4096 }, (_, i) => `c${i}`);
    const schema = Object.fromEntries(names.map((name) => [name, 'u8'])) as Record<string, 'u8'>;
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 1, segmentCapacity: 1, schema });
    const record = Object.fromEntries(names.map((name, i) => [name, i % 256]));
    writer.append(record);
    writer.append(record);
    expect(entriesOf(log)).toEqual([record, record]);
  });

  test('keeps the order of the columns, and each of its own type', () => {
    const schema = Object.fromEntries(scalarCases.map(({ type }) => [type, type])) as {
      [K in ScalarType]: K;
    };
    const { writer, log } = AtomicLog.claimed({ ...capacities, schema });
    const record = Object.fromEntries(scalarCases.map(({ type, accepted }) => [type, accepted.at(-1)]));
    writer.append(record as never);
    const snapshot = log.snapshot();
    expect(Object.keys(snapshot.at(0)!)).toEqual(scalarCases.map(({ type }) => type));
    for (const { type, arrayOf, accepted } of scalarCases) {
      expect(snapshot.chunks()[0]!.column(type)).toEqual(arrayOf([accepted.at(-1)!]));
    }
    snapshot.close();
  });
});

describe('options.dataBytes', () => {
  const variable = { ...capacities, schema: { id: 'u32', name: 'utf8' } };

  test.each([0, -0, -1, 0.5, NaN, Infinity, 2 ** 31, 2 ** 32])('refuses %p', (dataBytes) => {
    const message = /options\.dataBytes must be an integer from 1 to 2147483647/;
    expectRefusedOptions({ ...variable, dataBytes }, 'ERR_OUT_OF_RANGE', message);
  });

  test.each([null, '8', 8n, {}, true])('refuses %p', (dataBytes) => {
    const message = /options\.dataBytes must be an integer/;
    expectRefusedOptions({ ...variable, dataBytes }, 'ERR_INVALID_ARG_TYPE', message);
  });

  test.each([{}, { type: 'u8' }, { schema: { a: 'u8' } }])(
    'has no meaning where all values are of a fixed size: %p',
    (options) => {
      const message = /dataBytes is for fields of type 'utf8' or 'bytes' and for logs with a codec/;
      expectRefusedOptions({ ...capacities, ...options, dataBytes: 64 }, 'ERR_INVALID_ARG_VALUE', message);
    },
  );

  test('is 64 for each entry and at least 65536, unless said otherwise', () => {
    const dataBytes = (segmentCapacity: number): number =>
      new AtomicLog({ retainedCapacity: 1, segmentCapacity, codec: utf8 }).stats().dataBytes;
    expect([1, 1024, 1025, 4096].map(dataBytes)).toEqual([65536, 65536, 65600, 262144]);
  });

  test('counts for the size of a segment', () => {
    const schema = { a: 'utf8', b: 'bytes' };
    const message = /at most 4294967296 can be mapped, so choose a smaller segmentCapacity or dataBytes/;
    expectRefusedOptions(
      { retainedCapacity: 1, segmentCapacity: 1, schema, dataBytes: 2 ** 31 - 1 },
      'ERR_OUT_OF_RANGE',
      message,
    );
  });

  test('may be as small as one byte', () => {
    const { writer, log } = AtomicLog.claimed({ ...capacities, codec: utf8, dataBytes: 1 });
    for (const text of ['a', '', 'b', 'c']) writer.append(text);
    expect(entriesOf(log)).toEqual(['a', '', 'b', 'c']);
  });
});

describe('options.codec', () => {
  test.each([
    [{ type: 'f64' }, utf8],
    [{ schema: { a: 'f64' } }, utf8],
    [{ type: 'f64', schema: { a: 'f64' } }, utf8],
  ])('excludes %p', (options, codec) => {
    const message = /exclude each other, and so does options\.codec/;
    expectRefusedOptions({ ...capacities, ...options, codec }, 'ERR_INVALID_ARG_VALUE', message);
  });
});

describe('names', () => {
  const MAX = 2 ** 20;

  test.each<[string, object]>([
    ['of a log', { name: 'x'.repeat(MAX) }],
    ['of a log, that takes more room as text', { name: '\u0001'.repeat(MAX / 4) }],
    ['of fields', { schema: { ['a'.repeat(MAX / 2)]: 'f64', ['b'.repeat(MAX / 2)]: 'f64' } }],
    ['of a codec', { codec: { name: 'x'.repeat(MAX), encode: () => new Uint8Array(1), decode: () => 1 } }],
  ])('%s, that a log has no room for', (_name, options) => {
    expectError(
      () => new AtomicLog({ ...capacities, ...options } as never),
      'ERR_OUT_OF_RANGE',
      /a log has room for 1048576; choose shorter ones/,
    );
  });

  test('of a reader, that a log has no room for', () => {
    using log = new AtomicLog(capacities);
    expectError(
      () => AtomicLog.attach(log.handle, { name: 'x'.repeat(MAX + 1) }),
      'ERR_OUT_OF_RANGE',
      /options.name must be at most 1048576 bytes long; got 1048577/,
    );
    AtomicLog.attach(log.handle, { name: 'x'.repeat(MAX) }).close();
  });

  test('that a log has just room for', () => {
    using log = new AtomicLog({ ...capacities, name: 'x'.repeat(MAX - 100) });
    expect(log.stats().name).toHaveLength(MAX - 100);
  });
});

describe('other options', () => {
  test.each([0, 1, 'true', null, {}])('strictViews refuses %p', (strictViews) => {
    const message = /options\.strictViews must be a boolean/;
    expectRefusedOptions({ ...capacities, strictViews }, 'ERR_INVALID_ARG_TYPE', message);
  });

  test.each(['', 'AUTO', 'SHARED', null, 1, {}])('mapping refuses %p', (mapping) => {
    const message = /options\.mapping must be one of 'auto', 'external', 'shared'/;
    const code = typeof mapping === 'string' ? 'ERR_INVALID_ARG_VALUE' : 'ERR_INVALID_ARG_TYPE';
    expectRefusedOptions({ ...capacities, mapping }, code, message);
  });

  test.each([null, 1, true, {}, ['name'], Symbol('name')])('name refuses %p', (name) => {
    expectRefusedOptions({ ...capacities, name }, 'ERR_INVALID_ARG_TYPE', /options\.name must be a string/);
  });

  test('a name may be any string, also for whoever attaches', () => {
    for (const name of ['', 'prices', 'Preise €', '\ud800', 'a\0b\nc', 'x'.repeat(10_000)]) {
      using log = new AtomicLog({ ...capacities, name });
      using attached = AtomicLog.attach(log.handle);
      expect(attached.stats().name).toBe(name);
    }
  });
});
