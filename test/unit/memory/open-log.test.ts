/** attach() with what it expects of the log, and with a name. */
import { Worker } from 'node:worker_threads';

import { AtomicLog, defineSchema, json, utf8, type LogHandle, type Schema } from 'atomic-log';

import { expectError } from '../../support/errors';
import { expectRefused, smallLog, SMALL } from '../../support/logs';
import { addon, packageRoot } from '../../support/internals';

const trades = { time: 'f64', price: 'f32', size: 'u32' } as const;

function attach(handle: unknown, options: object): AtomicLog<unknown> {
  return AtomicLog.attach(handle as LogHandle, options as { name?: string });
}

test('a thread that has the log already does not attach natively again, whatever it checks', () => {
  const claimed = AtomicLog.claimed({ ...SMALL, codec: utf8 });
  const { handle } = claimed.log;
  const attachLog = jest.spyOn(addon, 'attachLog');
  try {
    using attached = attach(handle, { codec: utf8, name: 'again' });
    claimed.writer.append('a');
    expect(attached.latest()).toBe('a');
    expect(attachLog).not.toHaveBeenCalled();
    expectError(() => attach(handle, { codec: json() }), 'ERR_CODEC_MISMATCH', /encoded by the codec/);
    expectError(() => attach(handle, { schema: trades }), 'ERR_SCHEMA_MISMATCH', /leave the schema out/);
    expectError(() => attach({ ...handle, token: '0'.repeat(32) }, {}), 'ERR_INVALID_HANDLE', /names no log/);
  } finally {
    attachLog.mockRestore();
    claimed.writer.close();
    claimed.log.close();
  }
});

describe('attach(handle, { schema })', () => {
  test('gives the log when names, types and order are the same', () => {
    const claimed = AtomicLog.claimed({ ...SMALL, schema: trades });
    using attached = AtomicLog.attach(claimed.log.handle as LogHandle, { schema: trades });
    claimed.writer.append({ time: 1, price: 2, size: 3 });
    using snapshot = attached.snapshot();
    expect(snapshot.chunks()[0]!.column('size')).toEqual(Uint32Array.of(3));
    using unchecked = attach(claimed.log.handle, { schema: undefined, codec: undefined, name: undefined });
    expect(unchecked.latest()).toEqual({ time: 1, price: 2, size: 3 });
  });

  const has = 'the log has time: f64, price: f32, size: u32, and options.schema has ';
  test.each<[string, Schema, string]>([
    [
      'a type',
      { ...trades, price: 'f64' },
      'time: f64, price: f64, size: u32; column 1 is "price: f32" there and "price: f64" here',
    ],
    [
      'a name',
      { time: 'f64', cost: 'f32', size: 'u32' },
      'time: f64, cost: f32, size: u32; column 1 is "price: f32" there and "cost: f32" here',
    ],
    [
      'the order',
      { price: 'f32', time: 'f64', size: 'u32' },
      'price: f32, time: f64, size: u32; column 0 is "time: f64" there and "price: f32" here',
    ],
    [
      'a field more',
      { ...trades, flags: 'u8' },
      'time: f64, price: f32, size: u32, flags: u8; column 3 is no column there and "flags: u8" here',
    ],
    [
      'a field fewer',
      { time: 'f64', price: 'f32' },
      'time: f64, price: f32; column 2 is "size: u32" there and no column here',
    ],
  ])('refuses another schema, by both sides: %s', (_what, schema, message) => {
    const claimed = AtomicLog.claimed({ ...SMALL, schema: trades });
    const { handle } = claimed.log;
    const end = '; attach with the schema that the log was made with';
    const expected = new RegExp(`^${(has + message + end).replaceAll('.', '\\.')}$`);
    expectRefused(claimed, () => attach(handle, { schema }), 'ERR_SCHEMA_MISMATCH', expected);
  });

  test('refuses a log without columns', () => {
    const schema = { value: 'f64' };
    const numbers = smallLog(1);
    const texts = AtomicLog.claimed({ ...SMALL, codec: utf8 });
    const advice = ', and options\\.schema has value: f64; leave the schema out$';
    const ofNumbers = new RegExp(`^the log holds values of type f64${advice}`);
    expectRefused(numbers, ({ log }) => attach(log.handle, { schema }), 'ERR_SCHEMA_MISMATCH', ofNumbers);
    const ofTexts = new RegExp(`^the log holds values of the codec "utf8"${advice}`);
    expectRefused(texts, ({ log }) => attach(log.handle, { schema }), 'ERR_SCHEMA_MISMATCH', ofTexts);
  });

  test('says it in few words when there are many fields, or long names', () => {
    const wide = Object.fromEntries(Array.from({ length: 4096 }, (_, i) => [`f${i}`, 'f64' as const]));
    const { log } = AtomicLog.claimed({ retainedCapacity: 1, segmentCapacity: 1, schema: wide });
    const other = { ...wide, f4000: 'f32' };
    const message =
      /has f0: f64, .{80,100}\.\.\., and .*\.\.\.; column 4000 is "f4000: f64" there and "f4000: f32" here/;
    expectError(() => attach(log.handle, { schema: other }), 'ERR_SCHEMA_MISMATCH', message);
    const long = { ['x'.repeat(10_000)]: 'f64' };
    expectError(
      () => attach(log.handle, { schema: long }),
      'ERR_SCHEMA_MISMATCH',
      /column 0 is .*x{38}"\.\.\. here/,
    );
  });

  test('a schema that is none is refused as one of a new log, before anything is attached', () => {
    const claimed = AtomicLog.claimed({ ...SMALL, schema: trades });
    const { handle } = claimed.log;
    const noType = /^options\.schema\["time"\] must be one of/;
    expectRefused(
      claimed,
      () => attach(handle, { schema: { time: 'f16' } }),
      'ERR_INVALID_ARG_VALUE',
      noType,
    );
    const noObject = /^options\.schema must be an object/;
    expectRefused(claimed, () => attach(handle, { schema: null }), 'ERR_INVALID_ARG_TYPE', noObject);
    const both = /^options\.schema and options\.codec exclude each other/;
    const options = { schema: trades, codec: json() };
    expectRefused(claimed, () => attach(handle, options), 'ERR_INVALID_ARG_VALUE', both);
    const number = /^options\.name must be a string/;
    expectRefused(claimed, () => attach(handle, { name: 7 }), 'ERR_INVALID_ARG_TYPE', number);
    for (const bad of [null, 7, 'schema']) {
      const object = /^options must be an object/;
      expectRefused(claimed, () => attach(handle, bad as never), 'ERR_INVALID_ARG_TYPE', object);
    }
  });
});

describe('attach(handle, { name })', () => {
  test('names this thread as a reader; the last name counts', () => {
    const { log } = smallLog(1);
    const names = (): unknown[] => log.stats().readers.map(({ name }) => name);
    expect(names()).toEqual([undefined]);
    using first = AtomicLog.attach(log.handle, { name: 'first' });
    expect(names()).toEqual(['first']);
    using unnamed = AtomicLog.attach(log.handle);
    using second = AtomicLog.attach(log.handle, { name: 'Überwachung 😀' });
    expect(names()).toEqual(['Überwachung 😀']);
    expect([first, unnamed, second].map((attached) => attached.stats().name)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('is seen by the other threads, next to what the reader keeps', async () => {
    const schema = defineSchema({ n: 'f64' });
    const { writer, log } = AtomicLog.claimed({ ...SMALL, schema, name: 'numbers' });
    writer.append({ n: 1 });
    const program = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { AtomicLog } = require(${JSON.stringify(packageRoot)});
      const { handle, schema } = workerData;
      const log = AtomicLog.attach(handle, { schema, name: 'worker' });
      globalThis.snapshot = log.snapshot();
      let code;
      try { AtomicLog.attach(handle, { schema: { n: 'f32' } }); } catch (error) { code = error.code; }
      parentPort.postMessage(code);
      parentPort.on('message', () => {});
    `;
    const worker = new Worker(program, { eval: true, workerData: { handle: log.handle, schema } });
    const code = await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    );
    expect(code).toBe('ERR_SCHEMA_MISMATCH');
    const { name, readers } = log.stats();
    expect(name).toBe('numbers');
    expect(readers.find((reader) => reader.name === 'worker')).toMatchObject({
      threadId: worker.threadId,
      pinnedSegments: 1,
    });
    await worker.terminate();
  });
});
