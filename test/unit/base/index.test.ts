import { join } from 'node:path';

import * as atomicLog from 'atomic-log';

import { runFileInChild, runInChild } from '../../support/child';
import { packageRoot } from '../../support/internals';

const classes = [
  'AtomicLog',
  'Chunk',
  'Cursor',
  'FlushedOffset',
  'JournaledLog',
  'JournaledReader',
  'SegmentReader',
  'SegmentRecord',
  'SegmentTail',
  'SegmentWriter',
  'Snapshot',
  'VarColumn',
  'Wal',
  'WalCursor',
  'WalReader',
  'Writer',
];
const functions = ['defineSchema', 'forward', 'parsePosition', 'parseRecord', 'salvage'];
const codecs = ['bytes', 'json', 'structured', 'utf8'];
const publicNames = [...classes, ...functions, ...codecs].sort();

test('the package exports its classes and codecs, and nothing else', () => {
  expect(Object.keys(atomicLog).sort()).toEqual(publicNames);
  const exported = atomicLog as unknown as Record<string, { name: string }>;
  for (const name of [...classes, ...functions]) expect(exported[name]!.name).toBe(name);
  const { bytes, json, structured, utf8 } = atomicLog;
  expect([bytes, json(), structured(), utf8].map(({ name }) => name)).toEqual(codecs);
});

test.each(classes)('%s called without new is refused by its name', (name) => {
  const type = (atomicLog as unknown as Record<string, () => void>)[name]!;
  expect(() => type()).toThrow(TypeError);
  expect(() => type()).toThrow(new RegExp(`\\b${name}\\b`));
});

test('import and require give the same classes, so that there is one state', () => {
  const script = join(packageRoot, 'test', 'support', 'both-formats.mjs');
  expect(JSON.parse(runFileInChild(script))).toEqual([publicNames, publicNames]);
});

test('loading it loads three files, all that it exports a fourth, and no module twice', () => {
  const source = `
    const { sep } = require('node:path');
    const ours = () =>
      Object.keys(require.cache).map((path) => path.split(sep + 'dist' + sep)[1]).filter(Boolean);
    const atomicLog = require('atomic-log');
    const loaded = ours();
    for (const name of Object.keys(atomicLog)) void atomicLog[name];
    const all = ours();
    const isOne = require('./dist/base/errors.js') === require('./dist/memory/bundle.js').load('base/errors');
    console.log(JSON.stringify([loaded, all, isOne].flat().map((path) => String(path).replaceAll(sep, '/'))));
  `;
  const files = ['index.js', 'memory/bundle.js', 'base/native.js'];
  expect(JSON.parse(runInChild(source))).toEqual([...files, ...files, 'durable/bundle.js', 'true']);
});

test('a log that was never closed does not keep the process alive', () => {
  // execFileSync returns only when the child has ended by itself.
  const source = `
    const { AtomicLog } = require('atomic-log');
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 4, segmentCapacity: 2 });
    writer.append(7);
    console.log(log.snapshot().at(0));
  `;
  expect(runInChild(source)).toBe('7');
});
