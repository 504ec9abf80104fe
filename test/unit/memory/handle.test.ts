import { mkdtempSync, cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { AtomicLog, type LogHandle } from 'atomic-log';

import { runInChild } from '../../support/child';
import { expectError } from '../../support/errors';
import { addonPath, packageRoot } from '../../support/internals';
import { entriesOf, expectRefused, smallLog } from '../../support/logs';
import { isShared } from '../../support/mapping';

const attach = (handle: unknown): unknown => AtomicLog.attach(handle as LogHandle);

test('a handle is plain data', () => {
  const { log } = smallLog();
  const { handle } = log;
  expect(handle).toEqual({
    kind: 'atomic-log',
    id: expect.any(Number),
    token: expect.stringMatching(/^[0-9a-f]{32}$/),
    registry: expect.stringMatching(/^[0-9a-f]{32}$/),
    pid: process.pid,
    addonPath,
    ...(isShared && { memory: expect.anything() }),
  });
  expect(log.handle).toEqual(handle);
  expect(structuredClone(handle)).toEqual(handle);
  if (!isShared) expect(JSON.parse(JSON.stringify(handle))).toEqual(handle);
});

test('two logs have different ids and tokens, and one registry', () => {
  const first = smallLog().log.handle;
  const second = smallLog().log.handle;
  expect(second.id).not.toBe(first.id);
  expect(second.token).not.toBe(first.token);
  expect(second.registry).toBe(first.registry);
});

test('a handle that went through structuredClone or JSON attaches', () => {
  const { writer, log } = smallLog(2);
  // JSON cannot carry shared memory.
  const text = isShared ? [] : [JSON.parse(JSON.stringify(log.handle))];
  for (const handle of [log.handle, structuredClone(log.handle), ...text]) {
    using attached = AtomicLog.attach(handle as LogHandle<number>);
    expect(entriesOf(attached)).toEqual(entriesOf(log));
    writer.append(writer.nextIndex + 1);
    expect(attached.endIndex).toBe(log.endIndex);
    expect(attached.handle).toEqual(log.handle);
  }
});

test('the handle of a closed log is still there, for messages and comparisons', () => {
  const { log } = smallLog();
  const { handle } = log;
  log.close();
  expect(log.handle).toEqual(handle);
});

describe('what is not a handle is refused', () => {
  const invalid = /Post log\.handle, not the log|pass on log\.handle unchanged/;

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 1],
    ['a string', 'atomic-log'],
    ['a symbol', Symbol('handle')],
    ['a function', () => 1],
    ['an array', []],
    ['an empty object', {}],
    ['an object of another kind', { kind: 'ring-buffer' }],
  ])('%s', (_name, value) => {
    expectRefused(smallLog(2), () => attach(value), 'ERR_INVALID_HANDLE', invalid);
  });

  test('the log itself, and what posting it makes of it', () => {
    const claimed = smallLog(2);
    const hint = /was the log itself posted\?.*Post log\.handle/;
    expectRefused(claimed, ({ log }) => attach(log), 'ERR_INVALID_HANDLE', hint);
    expectRefused(claimed, ({ log }) => attach(structuredClone(log)), 'ERR_INVALID_HANDLE', hint);
    expectRefused(claimed, ({ writer }) => attach(writer), 'ERR_INVALID_HANDLE', hint);
  });

  test.each<[string, Record<string, unknown>]>([
    ['id 0', { id: 0 }],
    ['id -0', { id: -0 }],
    ['a negative id', { id: -1 }],
    ['a very negative id', { id: -(2 ** 53) + 1 }],
    ['a fractional id', { id: 1.5 }],
    ['an id that was never given', { id: 2 ** 40 }],
    ['the largest id', { id: Number.MAX_SAFE_INTEGER }],
    ['an id beyond the exact integers', { id: 2 ** 64 }],
    ['NaN as id', { id: NaN }],
    ['Infinity as id', { id: Infinity }],
    ['a string as id', { id: '1' }],
    ['a bigint as id', { id: 1n }],
    ['no id', { id: undefined }],
    ['the wrong token', { token: '0'.repeat(32) }],
    ['an empty token', { token: '' }],
    ['a very long token', { token: 'f'.repeat(1_000_000) }],
    ['a token with a zero character', { token: '\0' }],
    ['a token that is no string', { token: 1 }],
    ['no token', { token: undefined }],
    ['no registry', { registry: undefined }],
    ['a registry that is no string', { registry: {} }],
    ['no kind', { kind: undefined }],
  ])('a handle with %s', (_name, damage) => {
    const claimed = smallLog(2);
    expectRefused(claimed, ({ log }) => attach({ ...log.handle, ...damage }), 'ERR_INVALID_HANDLE', invalid);
  });

  test('a token of another log', () => {
    const other = smallLog();
    const { token } = other.log.handle;
    expectRefused(smallLog(2), ({ log }) => attach({ ...log.handle, token }), 'ERR_INVALID_HANDLE', invalid);
  });

  test('a token that differs in one character only', () => {
    const claimed = smallLog(2);
    const { token } = claimed.log.handle;
    for (const i of [0, 15, 31]) {
      const digit = token[i] === '0' ? '1' : '0';
      const forged = token.slice(0, i) + digit + token.slice(i + 1);
      expectRefused(
        claimed,
        ({ log }) => attach({ ...log.handle, token: forged }),
        'ERR_INVALID_HANDLE',
        invalid,
      );
    }
  });

  test('a getter that throws passes its exception through', () => {
    const { log } = smallLog();
    const failure = new Error('from the getter');
    const handle = Object.defineProperty({ ...log.handle }, 'token', {
      get() {
        throw failure;
      },
    });
    expect(() => attach(handle)).toThrow(failure);
  });
});

test('a handle of another process is refused, and the message names both', () => {
  const source = `
    const { AtomicLog } = require('atomic-log');
    console.log(JSON.stringify(new AtomicLog({ retainedCapacity: 8, segmentCapacity: 4 }).handle));
  `;
  const foreign = JSON.parse(runInChild(source)) as LogHandle<number>;
  expect(foreign.pid).not.toBe(process.pid);
  const message = new RegExp(`process ${foreign.pid}.*process ${process.pid}.*threads of its process`);
  expectRefused(smallLog(2), () => attach(foreign), 'ERR_FOREIGN_HANDLE', message);
});

test('a handle of another copy of the addon is refused, and the message names both files', () => {
  const copy = mkdtempSync(join(tmpdir(), 'atomic-log-copy-'));
  try {
    cpSync(join(packageRoot, 'dist'), join(copy, 'dist'), { recursive: true });
    cpSync(join(packageRoot, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(packageRoot, 'node_modules'), join(copy, 'node_modules'), 'junction');
    const copiedAddon = join(copy, 'build', 'Release', 'atomic_log.node');
    mkdirSync(dirname(copiedAddon), { recursive: true });
    cpSync(addonPath, copiedAddon);
    const source = `
      const { AtomicLog } = require('atomic-log');
      // It would make both of them load the same binary.
      delete process.env.ATOMIC_LOG_PREBUILD;
      const { AtomicLog: Copied } = require(${JSON.stringify(copy)});
      const options = { retainedCapacity: 8, segmentCapacity: 4 };
      const results = [];
      for (const [From, To] of [[AtomicLog, Copied], [Copied, AtomicLog]]) {
        try {
          To.attach(new From(options).handle);
        } catch ({ name, code, message }) {
          results.push({ name, code, message });
        }
      }
      console.log(JSON.stringify(results));
    `;
    const expected = {
      name: 'TypeError',
      code: 'ERR_FOREIGN_HANDLE',
      message: expect.stringMatching(
        /another copy of the addon in this process.*make both sides load the same/,
      ),
    };
    const results = JSON.parse(runInChild(source)) as { message: string }[];
    expect(results).toEqual([expected, expected]);
    for (const { message } of results) {
      expect(message).toContain(addonPath);
      expect(message).toContain(copiedAddon);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

describe('a log that every thread has closed', () => {
  const gone = /keep the log open until all have attached/;

  test('is gone', () => {
    const { writer, log } = smallLog(1);
    const { handle } = log;
    writer.close();
    log.close();
    expectError(() => attach(handle), 'ERR_LOG_GONE', gone);
  });

  test('stays gone when many more logs were made and closed', () => {
    const { writer, log } = smallLog(1);
    const { handle } = log;
    writer.close();
    log.close();
    // More than a sweep of the table of logs takes.
    for (let i = 0; i < 200; ++i) new AtomicLog({ retainedCapacity: 2, segmentCapacity: 2 }).close();
    expectError(() => attach(handle), 'ERR_LOG_GONE', gone);
  });

  test.each(['writer', 'snapshot', 'second'] as const)('is not gone while a %s of it is open', (last) => {
    const { writer, log } = smallLog(1);
    const { handle } = log;
    const users = { writer, snapshot: log.snapshot(), second: AtomicLog.attach(handle) };
    log.close();
    for (const [name, user] of Object.entries(users)) if (name !== last) user.close();
    AtomicLog.attach(handle).close();
    users[last].close();
    expectError(() => attach(handle), 'ERR_LOG_GONE', gone);
  });

  test('is gone although a getter of the handle closed it only now', () => {
    const { writer, log } = smallLog(1);
    const { token, ...rest } = log.handle;
    writer.close();
    const handle = {
      ...rest,
      get token() {
        log.close();
        return token;
      },
    };
    expectError(() => attach(handle), 'ERR_LOG_GONE', gone);
  });
});
