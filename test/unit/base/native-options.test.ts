// The addon's functions that take one object of options refuse one in which a member
// is missing or of another type, before they do anything.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { addon } from '../../support/internals';

type Given = Record<string, unknown>;

const directory = mkdtempSync(join(tmpdir(), 'atomic-log-options-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const format = { startOffset: 0, headerSize: 0, checksum: 0 };
const cells = new BigInt64Array(new SharedArrayBuffer(64));
const size = {
  retainedCapacity: 10,
  segmentCapacity: 5,
  elementBytes: Uint32Array.of(8),
  dataBytes: new Uint32Array(0),
};
const wal = {
  path: join(directory, 'wal'),
  segmentBytes: 8192,
  firstLsn: 1,
  metadata: new Uint8Array(0),
  newLogId: new Uint8Array(16),
  branchSeed: new Uint8Array(8),
  isTailStrict: false,
  verifies: false,
  processId: process.pid,
  commitCount: 1,
  commitBytes: 1,
  commitWaitUs: 0,
  waiterId: 0,
};

/** Valid options of each function, but for paths where nothing is. */
const functions: Record<string, Given> = {
  measureLog: size,
  createLog: {
    ...size,
    descriptor: '',
    columnTypes: Uint32Array.of(0),
    columnNames: ['x'],
    pinnedBytesMax: Infinity,
    firstIndex: 0,
    endsWithWriter: false,
    memory: null,
  },
  createSegment: { ...format, path: join(directory, 'new.seg'), size: 4096, cells },
  openSegment: {
    ...format,
    path: join(directory, 'none.seg'),
    size: null,
    durableOffset: 0,
    isSealed: false,
    discardUnreadable: false,
    cells,
  },
  openSegmentReader: { ...format, path: join(directory, 'none.seg'), isMapped: true, cells: null },
  scanSegment: { ...format, path: join(directory, 'none.seg') },
  openWal: wal,
  openWalSync: wal,
  salvageWalFile: {
    path: join(directory, 'none'),
    file: 1,
    logId: new Uint8Array(16),
    from: 1,
    bytesMax: 1,
  },
};

const call = (name: string, options: unknown): unknown =>
  (addon as unknown as Record<string, (options: unknown) => unknown>)[name]!(options);

const refusal = (name: string): object =>
  expect.objectContaining({
    name: 'TypeError',
    code: 'ERR_INVALID_ARG_TYPE',
    message: expect.stringMatching(new RegExp(`^options\\.${name} must be `)) as string,
  }) as object;

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each(Object.keys(functions))('%s', (name) => {
  const valid = functions[name]!;
  const members = Object.keys(valid);

  test.each(members)('refuses options without %s', (member) => {
    const { [member]: _, ...others } = valid;
    expect(thrown(() => call(name, others))).toEqual(refusal(member));
  });

  test.each(members)('refuses another type of %s', (member) => {
    for (const value of [
      undefined,
      Symbol('x'),
      {},
      [],
      () => 1,
      new Float32Array(3),
      -1,
      1.5,
      NaN,
      2 ** 60,
    ]) {
      const isLimit = member === 'pinnedBytesMax' && typeof value === 'number' && value >= 0;
      if (isLimit) continue;
      expect(thrown(() => call(name, { ...valid, [member]: value }))).toEqual(refusal(member));
    }
  });

  test('refuses what is no object', () => {
    for (const value of [undefined, null, 1, 'text']) expect(thrown(() => call(name, value))).toBeDefined();
  });

  test('passes on what a getter throws', () => {
    const error = new TypeError('from a getter');
    const options = Object.defineProperty({ ...valid }, members[1]!, {
      get: () => {
        throw error;
      },
    });
    expect(thrown(() => call(name, options))).toBe(error);
  });
});

test('nothing was made by calls that were refused', () => {
  expect(existsSync(directory)).toBe(true);
  expect(readdirSync(directory)).toEqual([]);
});

test('sizes of what is passed as bytes are looked at too', () => {
  const short = new Uint8Array(7);
  expect(thrown(() => call('openWalSync', { ...wal, newLogId: short }))).toEqual(refusal('newLogId'));
  expect(thrown(() => call('openWalSync', { ...wal, branchSeed: short }))).toEqual(refusal('branchSeed'));
  const { createLog, createSegment, salvageWalFile } = functions;
  expect(thrown(() => call('createLog', { ...createLog, columnNames: ['a', 'b'] }))).toEqual(
    refusal('columnNames'),
  );
  const few = new BigInt64Array(0);
  expect(thrown(() => call('createSegment', { ...createSegment, cells: few }))).toEqual(refusal('cells'));
  expect(thrown(() => call('salvageWalFile', { ...salvageWalFile, logId: short }))).toEqual(refusal('logId'));
  expect(readdirSync(directory)).toEqual([]);
});
