/** Functions made for a layout, and what does the same where none may be made. */
import { spawnSync } from 'node:child_process';

import { packageRoot } from '../../support/internals';
import { runtime } from '../../support/runtime';

/** Prints what comes of records of every kind, good and bad, in every way in. */
const script = `
const { AtomicLog, utf8 } = require('.');
const schema = { time: 'f64', ratio: 'f32', a: 'i8', b: 'u8', c: 'i16', d: 'u16', e: 'i32', f: 'u32', g: 'i64', h: 'u64', text: 'utf8', data: 'bytes' };
const good = { __proto__: null, time: 1.5, ratio: 0.5, a: -1, b: 2, c: -3, d: 4, e: -5, f: 6, g: -7n, h: 8n, text: 'grün', data: Uint8Array.of(9) };
const bad = { __proto__: null, time: '1', ratio: 1e300, a: 128, b: -1, c: 1.5, d: 65536, e: NaN, f: -1, g: 1, h: -1n, text: 3, data: [1] };
const print = (value) => console.log(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? v + 'n' : v)));
for (const fields of [schema, { time: 'f64', e: 'i32' }, { constructor: 'f64', toString: 'u8' }]) {
  const names = Object.keys(fields);
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 12, segmentCapacity: 4, schema: fields });
  const record = (changes = {}) => {
    const made = Object.create(null);
    for (const name of names) made[name] = Object.hasOwn(changes, name) ? changes[name] : (good[name] ?? 1);
    return made;
  };
  const give = (value) => {
    try { print(writer.append(value)); } catch (error) { print([error.code ?? error.name, error.message]); }
  };
  give(record());
  give(Object.fromEntries(Object.entries(record()).reverse()));
  for (const name of names) give(record({ [name]: bad[name] ?? 'no number' }));
  for (const name of names) { const without = record(); delete without[name]; give(without); give(record({ [name]: undefined })); }
  give({ ...record(), other: 1 });
  for (const value of [null, undefined, 1, 'text', [], () => 1]) give(value);
  give(Object.defineProperty(record(), names[0], { get() { throw new RangeError('mine'); }, enumerable: true }));
  give(Object.create(record()));
  const giveAll = (values) => {
    try { print(writer.appendBatch(values)); } catch (error) { print([error.code ?? error.name, error.message]); }
  };
  for (const name of names) giveAll([record(), record({ [name]: bad[name] ?? 'no number' })]);
  giveAll([record(), { ...record(), other: 1 }]);
  giveAll([record(), null]);
  giveAll([record(), Object.create(record())]);
  giveAll(Array.from({ length: 100 }, () => record()));
  giveAll([record(), Object.fromEntries(Object.entries(record()).reverse())]);
  const snapshot = log.snapshot();
  print([...snapshot].map((entry) => Object.entries(entry)));
  print(Array.from(snapshot.rows(), (row) => names.map((name) => row[name])));
  for (const row = snapshot.cursor(); row.next();) print([row.index, names.map((name) => row.get(name)), row.value]);
}
for (const options of [{ type: 'f64' }, { type: 'u8' }, { codec: utf8 }]) {
  const { writer, log } = AtomicLog.claimed({ retainedCapacity: 12, segmentCapacity: 4, ...options });
  for (let i = 0; i < 20; ++i) writer.append(options.codec ? 'grün ' + i : i);
  const snapshot = log.snapshot();
  print([...snapshot]);
  for (const cursor = snapshot.cursor(); cursor.next();) print([cursor.index, cursor.value]);
}
`;

function outputOf(...flags: string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, '--eval', script], {
    cwd: packageRoot,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

(runtime === 'node' ? test : test.skip)(
  'do what is done without them, where code may not be made from strings',
  () => {
    const output = outputOf();
    expect(output.split('\n').length).toBeGreaterThan(80);
    expect(outputOf('--disallow-code-generation-from-strings')).toBe(output);
  },
);
