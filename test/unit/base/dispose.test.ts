import { AtomicLog } from 'atomic-log';

import { runInChild } from '../../support/child';
import { requireInternal } from '../../support/internals';
import { expectError } from '../../support/errors';
import { entriesOf, smallLog } from '../../support/logs';

test('the end of a using block closes logs, writers and snapshots', () => {
  const outside = smallLog(3);
  outside.writer.close();
  let captured;
  {
    using log = AtomicLog.attach(outside.log.handle);
    using writer = log.tryClaimWriter()!;
    using snapshot = log.snapshot();
    writer.append(4);
    captured = { log, writer, snapshot };
    expect([...snapshot]).toEqual([1, 2, 3]);
  }
  expectError(() => captured.log.snapshot(), 'ERR_LOG_CLOSED', /attach/);
  expectError(() => captured.writer.append(5), 'ERR_WRITER_CLOSED', /tryClaimWriter/);
  expectError(() => captured.snapshot.at(0), 'ERR_SNAPSHOT_CLOSED', /log\.snapshot\(\)/);
  expect(outside.log.isWriterClaimed).toBe(false);
  expect(entriesOf(outside.log)).toEqual([1, 2, 3, 4]);
});

test('using closes when the block is left by an exception, and passes it on', () => {
  const { writer, log } = smallLog(1);
  writer.close();
  const failure = new Error('from inside the block');
  expect(() => {
    using claimed = log.tryClaimWriter()!;
    claimed.append(2);
    throw failure;
  }).toThrow(failure);
  expect(log.isWriterClaimed).toBe(false);
});

test('using accepts the null of a claim that somebody else holds', () => {
  const { writer, log } = smallLog();
  {
    using second = log.tryClaimWriter();
    expect(second).toBeNull();
  }
  expect(writer.append(1)).toBe(0);
});

test('Symbol.dispose does what close() does, any number of times', () => {
  const { writer, log } = smallLog(2);
  const snapshot = log.snapshot();
  for (const object of [snapshot, writer, log]) {
    object[Symbol.dispose]();
    object[Symbol.dispose]();
    object.close();
    object.close();
  }
  expectError(() => snapshot.chunks(), 'ERR_SNAPSHOT_CLOSED', /closed/);
  expectError(() => writer.publish(), 'ERR_WRITER_CLOSED', /closed/);
  expectError(() => log.endIndex, 'ERR_LOG_CLOSED', /closed/);
});

test('the symbol is that of the runtime where it has one', () => {
  const { dispose } = requireInternal<{ dispose: symbol }>('base/dispose.js');
  expect(dispose).toBe(Symbol.dispose);
});

test('without Symbol.dispose it is the symbol that compilers of using fall back to', () => {
  const source = `
    // Node's own cannot be removed, so the module sees a Symbol without it.
    const { readFileSync } = require('node:fs');
    const code = readFileSync('dist/memory/bundle.js', 'utf8');
    const bundle = {};
    new Function('exports', 'require', 'Symbol', code)(bundle, require, { for: Symbol.for });
    console.log(bundle.load('base/dispose').dispose === Symbol.for('Symbol.dispose'));
  `;
  expect(runInChild(source)).toBe('true');
});
