import { Chunk, Snapshot, Writer } from 'atomic-log';

import { expectError, thrownBy } from '../../support/errors';
import { requireInternal } from '../../support/internals';
import { smallLog } from '../../support/logs';

const { describe: picture } = requireInternal<{ describe: (value: unknown) => string }>('base/errors.js');

describe('the picture of a value in a message', () => {
  test.each([
    [1, '1'],
    [-0, '-0'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [12n, '12n'],
    ['a "b"', '"a \\"b\\""'],
    ['x'.repeat(40), `"${'x'.repeat(40)}"`],
    ['x'.repeat(41), `"${'x'.repeat(40)}"...`],
    [undefined, 'undefined'],
    [true, 'true'],
    [null, 'null'],
    [[1, 2], 'an array'],
    [{}, 'an object'],
    [Buffer.alloc(1), 'a Uint8Array'],
    [new Float32Array(1), 'a Float32Array'],
    [new Int8Array(1), 'an Int8Array'],
    [new BigInt64Array(1), 'a BigInt64Array'],
    [new ArrayBuffer(1), 'an ArrayBuffer'],
    [new SharedArrayBuffer(1), 'a SharedArrayBuffer'],
    [new DataView(new ArrayBuffer(1)), 'a DataView'],
    [new Date(), 'a Date'],
    [new Map(), 'a Map'],
    [new Set(), 'a Set'],
    [Promise.resolve(), 'a Promise'],
    [new RangeError('x'), 'an Error'],
    [new Proxy(new Uint8Array(1), {}), 'an object'],
    [() => 1, 'a function'],
    [Symbol('secret'), 'a symbol'],
  ])('of %p is %s', (value, expected) => {
    expect(picture(value)).toBe(expected);
  });

  test('is made without running code of the user', () => {
    const fail = (): never => {
      throw new Error('user code was run');
    };
    const hostile = { toString: fail, valueOf: fail, toJSON: fail, [Symbol.toPrimitive]: fail };
    expect(picture(hostile)).toBe('an object');
    const tagged = Object.defineProperty({}, Symbol.toStringTag, { get: fail });
    expect(picture(tagged)).toBe('an object');
    expect(picture(new Proxy({}, { get: fail, getPrototypeOf: fail, ownKeys: fail }))).toBe('an object');
    expect(picture(new Proxy([], { get: fail, getPrototypeOf: fail }))).toBe('an array');
  });

  test('of a revoked proxy is an object too', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(picture(proxy)).toBe('an object');
  });

  test('of a huge bigint stays short', () => {
    expect(picture(2n ** 100_000n).length).toBeLessThan(100);
    expect(picture(-(2n ** 100_000n)).length).toBeLessThan(100);
  });
});

test('errors look like those of Node: class, own code, a stack', () => {
  const { writer } = smallLog();
  const error = expectError(() => writer.append('1' as never), 'ERR_INVALID_ARG_TYPE', /must be a number/);
  expect(error).toBeInstanceOf(TypeError);
  expect(error.name).toBe('TypeError');
  expect(error.stack).toContain(error.message);
  expect(Object.getOwnPropertyDescriptor(error, 'code')).toEqual({
    value: 'ERR_INVALID_ARG_TYPE',
    enumerable: true,
    writable: true,
    configurable: true,
  });
  expect(error.cause).toBeUndefined();
});

describe('classes that only the library makes', () => {
  test.each([
    ['Writer', Writer, /log\.tryClaimWriter\(\) or AtomicLog\.claimed\(\)/],
    ['Snapshot', Snapshot, /log\.snapshot\(\)/],
    ['Chunk', Chunk, /snapshot\.chunks\(\)/],
  ] as const)('new %s() says where to get one', (_name, constructor, advice) => {
    const construct = constructor as unknown as new (...parameters: unknown[]) => object;
    expectError(() => new construct(), 'ERR_ILLEGAL_CONSTRUCTOR', advice);
    expectError(() => new construct(Symbol('forged'), {}, {}, {}), 'ERR_ILLEGAL_CONSTRUCTOR', advice);
    class Derived extends construct {}
    expectError(() => new Derived(), 'ERR_ILLEGAL_CONSTRUCTOR', advice);
  });

  test('their members refuse a receiver that is none of them', () => {
    const { writer, log } = smallLog(1);
    const snapshot = log.snapshot();
    const calls = [
      () => Writer.prototype.append.call({} as never, 1),
      () => Writer.prototype.append.call(snapshot as never, 1),
      () => Snapshot.prototype.refresh.call(Object.create(snapshot) as never),
      () => Chunk.prototype.at.call({ length: 1 } as never, 0),
      () => (Object.create(writer) as Writer<number>).nextIndex,
    ];
    for (const call of calls) expect(thrownBy(call)).toBeInstanceOf(TypeError);
    expect([...snapshot]).toEqual([1]);
    expect(writer.append(2)).toBe(1);
  });
});
