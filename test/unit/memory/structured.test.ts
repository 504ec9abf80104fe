// What structured() stores of views: the bytes that they show, on every runtime.
import { deserialize, serialize } from 'node:v8';

import { AtomicLog, structured } from 'atomic-log';
import { withOwnBuffers } from '../../../lib/memory/structured';

const memory = new ArrayBuffer(4096);
new Uint8Array(memory).fill(9);
const part = new Uint8Array(memory, 8, 4);
const numbers = new Float64Array(memory, 64, 2);

describe('the codec structured() stores what a view shows', () => {
  test.each([
    ['a view', part],
    ['views in other values', { list: [part, numbers], map: new Map([[part, new Set([numbers])]]) }],
    ['a small Buffer', Buffer.from('abc')],
    ['a DataView', new DataView(memory, 8, 4)],
  ])('%s', (_, value) => {
    const { writer, log } = AtomicLog.claimed({
      retainedCapacity: 10,
      segmentCapacity: 5,
      codec: structured(),
      dataBytes: 512, // less than what lies behind the views
    });
    writer.append(value);
    expect(log.latest()).toEqual(value);
    const snapshot = log.snapshot();
    const [chunk] = snapshot.chunks();
    expect(chunk!.encoded!.bytesAt(0)!.length).toBeLessThan(200);
    snapshot.close();
    log.close();
    expect(structured().encode(value).length).toBeLessThan(200);
  });
});

describe('withOwnBuffers', () => {
  const through = (value: unknown): any => withOwnBuffers(value);

  test.each([
    part,
    numbers,
    new DataView(memory, 16, 2),
    new BigInt64Array(memory, 8, 1),
    Buffer.from(memory, 3, 5),
    new Uint8Array(new SharedArrayBuffer(16), 4, 4),
  ])('copies what shows a part of its buffer: %#', (view) => {
    const copy = through(view) as typeof view;
    expect(copy.constructor).toBe(view.constructor);
    expect(copy).toEqual(view);
    expect(copy.buffer.byteLength).toBe(view.byteLength);
  });

  test('keeps what shows all of it', () => {
    const whole = new Float64Array(4);
    expect(through({ whole }).whole).toBe(whole);
  });

  test('leaves the value itself as it is', () => {
    const value = { part, list: [numbers] };
    through(value);
    expect(value.part).toBe(part);
    expect(value.list[0]).toBe(numbers);
  });

  test('makes what a clone makes of everything else', () => {
    class Point {
      readonly x = 1;
      get hidden(): number {
        throw new Error('getters of the prototype are not asked');
      }
    }
    const sparse = Object.assign(new Array<unknown>(3), { 1: 'one', more: part });
    const value: Record<string, unknown> = {
      point: new Point(),
      sparse,
      date: new Date(5),
      pattern: /a/g,
      boxed: Object(1),
      error: new RangeError('no'),
      buffer: new ArrayBuffer(3),
      nothing: [undefined, null, NaN, 1n],
      map: new Map<unknown, unknown>([['k', { deep: part }]]),
    };
    Object.defineProperty(value, '__proto__', { value: 'own', enumerable: true });
    Object.defineProperty(value, 'unseen', { value: () => 1, enumerable: false });
    expect(deserialize(serialize(through(value)))).toEqual(deserialize(serialize(value)));
    expect(Object.keys(through(value))).toContain('__proto__');
  });

  test('keeps cycles, and one object in two places', () => {
    const value: any = { part };
    value.again = part;
    value.self = value;
    value.map = new Map([[value, value]]);
    const copy = through(value);
    expect(copy.self).toBe(copy);
    expect(copy.again).toBe(copy.part);
    expect(copy.map.get(copy)).toBe(copy);
  });

  test('asks a getter once', () => {
    let asked = 0;
    const value = {
      get view() {
        ++asked;
        return part;
      },
    };
    expect(through(value)).toEqual({ view: part });
    expect(asked).toBe(1);
  });

  test('leaves to the clone what it refuses', () => {
    for (const value of [() => 1, Symbol('s'), new Proxy({}, {}), { nested: () => 1 }]) {
      expect(() => serialize(through(value))).toThrow();
    }
  });

  test('takes values that are nested deeper than the stack', () => {
    let value: unknown = part;
    for (let depth = 0; depth < 100_000; ++depth) value = [value];
    let copy = through(value);
    while (Array.isArray(copy)) copy = copy[0];
    expect(copy).toEqual(part);
    expect(copy).not.toBe(part);
  });
});
