/** Schemas that stand by themselves. */
import { AtomicLog, defineSchema, type Schema } from 'atomic-log';

import { expectError, thrownBy } from '../../support/errors';
import { SMALL } from '../../support/logs';

const define = (schema: unknown): unknown => defineSchema(schema as Schema);

test('defineSchema() is a frozen copy, in the order of the fields', () => {
  const given: Record<string, 'f64' | 'utf8'> = { time: 'f64', text: 'utf8' };
  const schema = defineSchema(given);
  expect(schema).toEqual({ time: 'f64', text: 'utf8' });
  expect(Object.keys(schema)).toEqual(['time', 'text']);
  expect(Object.isFrozen(schema)).toBe(true);
  given['more'] = 'f64';
  expect(Object.keys(schema)).toEqual(['time', 'text']);
  expect(() => {
    (schema as Record<string, string>)['more'] = 'f64';
  }).toThrow(TypeError);
});

test('a schema makes logs, and attaches to them', () => {
  const schema = defineSchema({ time: 'f64', text: 'utf8', raw: 'bytes', count: 'u64' });
  const { writer, log } = AtomicLog.claimed({ ...SMALL, schema });
  const entry = { time: 1, text: 'a', raw: Uint8Array.of(1), count: 2n };
  writer.append(entry);
  using attached = AtomicLog.attach(log.handle, { schema });
  expect(attached.latest()).toEqual(entry);
  // Posted, it is as good.
  using other = AtomicLog.attach(log.handle, { schema: structuredClone(schema) });
  expect(other.latest()).toEqual(entry);
});

test.each([
  ['undefined', undefined],
  ['null', null],
  ['an array', ['f64']],
  ['a string', 'f64'],
])('%s is refused', (_name, schema) => {
  expectError(
    () => define(schema),
    'ERR_INVALID_ARG_TYPE',
    /^schema must be an object of field names and types/,
  );
});

test('fields that a log cannot have are refused at once', () => {
  const type = /^schema\["price"\] must be one of 'f64', .*; got "f16"$/;
  expectError(() => define({ price: 'f16' }), 'ERR_INVALID_ARG_VALUE', type);
  expectError(() => define({ price: 8 }), 'ERR_INVALID_ARG_TYPE', /^schema\["price"\] must be one of/);
  for (const [meant, type] of [
    ['number', 'f64'],
    ['Float64', 'f64'],
    ['int32', 'i32'],
    ['uint8', 'u8'],
    ['bool', 'u8'],
    ['bigint', 'i64'],
    ['string', 'utf8'],
    ['buffer', 'bytes'],
    ['F64', 'f64'],
  ] as const) {
    const message = new RegExp(`; got "${meant}", which is '${type}' here$`);
    expectError(() => define({ price: meant }), 'ERR_INVALID_ARG_VALUE', message);
  }
  for (const name of ['', '7', '__proto__']) {
    const message = /^schema has the field name .*; names must not be empty/;
    expectError(() => define(JSON.parse(`{ "${name}": "f64" }`)), 'ERR_INVALID_ARG_VALUE', message);
  }
  expectError(() => define({}), 'ERR_OUT_OF_RANGE', /^the number of fields in schema must be from 1 to/);
});

test('each property is read once, and what a getter throws passes through', () => {
  let reads = 0;
  const schema = define({
    get a() {
      ++reads;
      return 'f64';
    },
  });
  expect([schema, reads]).toEqual([{ a: 'f64' }, 1]);
  const failure = new Error('mine');
  const throwing = {
    get a(): never {
      throw failure;
    },
  };
  expect(thrownBy(() => define(throwing))).toBe(failure);
});
