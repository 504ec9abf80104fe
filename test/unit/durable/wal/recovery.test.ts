import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Wal, WalReader } from 'atomic-log';

import { expectError } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';
import { parseWalFile } from '../../../support/wal-format';
import { entry, expectIntact, fill, SMALL_FILES, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const file = (number: number) => directory.path(`log/wal-${String(number).padStart(6, '0')}.log`);

function change(number: number, edit: (bytes: Buffer) => void): Buffer {
  const bytes = readFileSync(file(number));
  edit(bytes);
  writeFileSync(file(number), bytes);
  return bytes;
}

test('a torn last record is quarantined, reported, and never comes back', () => {
  withWal(path(), (wal) => fill(wal, 5));
  const { records, end } = parseWalFile(readFileSync(file(1)));
  expect(records.length).toBeGreaterThan(5);
  // As of a crash: more was written, and not all of it reached the disk.
  change(1, (bytes) => bytes.fill(0xab, end + 8, end + 100));
  const torn = readFileSync(file(1));
  expectError(() => Wal.openSync(path(), { strictTail: true }), 'ERR_TORN_TAIL', /without strictTail/);
  expect(readFileSync(file(1)).equals(torn)).toBe(true);
  withWal(path(), (wal) => {
    expect(wal.tailState).toBe('truncated');
    expect(wal.recovery).toEqual({
      action: 'truncated',
      records: records.length,
      quarantinedBytes: 100,
      discardedBytes: 0,
      offset: end,
      lsn: 6,
      quarantinePath: `${file(1)}.torn-1`,
    });
    expect(readFileSync(wal.recovery.quarantinePath!)).toEqual(torn.subarray(end, end + 100));
    expectIntact(wal, 1, 5);
    wal.appendSync(entry(6));
  });
  withWal(path(), (wal) => {
    expect(wal.tailState).toBe('clean');
    expectIntact(wal, 1, 6);
  });
});

test('a full file whose successor was not made yet is followed by one', () => {
  withWal(path(), (wal) => {
    while (wal.files.length < 2) wal.appendSync(entry(wal.lastLsn + 1));
  });
  const { records, end } = parseWalFile(readFileSync(file(1)));
  const left = records.filter(({ type }) => type === 'DATA').length;
  // As of a crash between the end of the one file and the making of the other.
  rmSync(file(2));
  withWal(path(), (wal) => {
    expect(wal.recovery).toEqual({
      action: 'continued',
      records: records.length,
      quarantinedBytes: 0,
      discardedBytes: 0,
      offset: end,
      lsn: left + 1,
      quarantinePath: undefined,
    });
    expect(wal.tailState).toBe('clean');
    expect(wal.files.length).toBe(2);
    fill(wal, left + 10);
  });
  withWal(path(), (wal) => {
    expect(wal.recovery.action).toBe('clean');
    expectIntact(wal, 1, left + 10);
  });
});

test('damage to what is provably durable is loud, and nothing is touched', () => {
  withWal(path(), (wal) => {
    fill(wal, 5);
    fill(wal, 9);
  });
  const bytes = change(1, (all) => (all[parseWalFile(all).records[2]!.offset + 45]! ^= 1));
  const error = expectError(() => Wal.openSync(path()), 'ERR_CORRUPT', /damaged.*salvage/);
  expect(error).toMatchObject({ path: file(1) });
  expectError(() => WalReader.open(path()), 'ERR_CORRUPT', /damaged/);
  expect(readFileSync(file(1)).equals(bytes)).toBe(true);
  expect(readdirSync(path()).sort()).toEqual(['LOCK', 'cursors', 'wal-000000.log.new', 'wal-000001.log']);
});

test('damage in an older file is found when it is read, or at once with verifyOnOpen', () => {
  withWal(path(), (wal) => fill(wal, 300));
  change(2, (bytes) => (bytes[6000]! ^= 1));
  expectError(() => Wal.openSync(path(), { verifyOnOpen: true }), 'ERR_CORRUPT', /wal-000002/);
  withWal(path(), (wal) => expectError(() => [...wal.entries()], 'ERR_CORRUPT', /wal-000002/));
});

test('a file whose making was interrupted is made again', () => {
  withWal(path(), (wal) => {
    fill(wal, 20);
    wal.truncateAfterSync(10);
  });
  writeFileSync(file(2), Buffer.alloc(100));
  withWal(
    path(),
    (wal) => {
      expect(wal.recovery).toMatchObject({ action: 'recreated', lsn: 11, offset: 4096 });
      expectIntact(wal, 1, 10);
    },
    SMALL_FILES,
  );
});

test('every file is what an independent reading of the format says', () => {
  const wal = Wal.openSync(path(), { ...SMALL_FILES, metadata: Buffer.from('meta'), firstLsn: 100 });
  for (let i = 0; i < 120; ++i) wal.appendSync(entry(i), { durability: i % 5 === 0 ? 'full' : 'os' });
  wal.checkpointSync(110);
  wal.truncateAfterSync(200);
  wal.closeSync();
  withWal(path(), (again) => again.appendSync(entry(7)));
  const found = new Map<number, Buffer>();
  let previous: ReturnType<typeof parseWalFile> | undefined;
  let truncations = 0;
  for (const name of readdirSync(path()).sort()) {
    if (!name.endsWith('.log')) continue;
    const parsed = parseWalFile(readFileSync(directory.path(`log/${name}`)));
    expect(parsed.header.fileNumber).toBe(Number(name.slice(4, 10)));
    expect(parsed.header.metadata.toString()).toBe('meta');
    expect(parsed.isTailZero).toBe(true);
    if (previous !== undefined) {
      const seal = previous.records.at(-1)!;
      expect(seal.type).toBe('SEAL');
      expect(parsed.header).toMatchObject({
        previousEnd: previous.end,
        previousNextBase: parsed.header.baseLsn,
        previousSealChecksum: seal.checksum,
      });
      expect(seal.values![0]).toBe(parsed.header.baseLsn);
      // Entries that take the place of others are told apart by their epoch.
      const isTruncation = seal.values![0] < seal.lsn;
      truncations += Number(isTruncation);
      expect(parsed.header.epoch).toBe(seal.epoch + Number(isTruncation));
      expect(parsed.header.branch === seal.branch).toBe(!isTruncation);
    }
    for (const lsn of found.keys()) if (lsn >= parsed.header.baseLsn) found.delete(lsn);
    for (const { entries } of parsed.records) for (const { lsn, data } of entries) found.set(lsn, data);
    previous = parsed;
  }
  expect(truncations).toBe(1);
  using reader = WalReader.open(path());
  const read = [...reader.entries()].map(({ lsn, data }) => [lsn, Buffer.from(data)]);
  expect(read).toEqual([...found].filter(([lsn]) => lsn > 110));
  expect(read.at(-1)![0]).toBe(201);
});

// Written by the first release of the format: what it says must never change its meaning.
describe('the golden log of version 1', () => {
  const golden = join(__dirname, '../../../fixtures/wal-v1');
  const batch = [entry(41), entry(42)];
  const expected = [
    ...Array.from({ length: 40 }, (_, i) => entry(i + 1)),
    ...batch,
    Buffer.alloc(0),
    entry(44, 5000),
  ];

  test('is read as it was written, by the library and by the independent parser', () => {
    cpSync(golden, path(), { recursive: true });
    using reader = WalReader.open(path());
    expect([reader.firstLsn, reader.lastLsn]).toEqual([20, 44]);
    expect([...reader.entries()].map(({ data }) => Buffer.from(data))).toEqual(expected.slice(19));
    expect(reader.get(42)!.batch).toEqual({ first: 41, count: 2 });
    expect(Buffer.from(reader.metadata).toString()).toBe('golden');
    const files = readdirSync(golden)
      .filter((name) => name.endsWith('.log'))
      .sort();
    const parsed = files.map((name) => parseWalFile(readFileSync(join(golden, name))));
    // A later file replaces what was taken back from the one before.
    const entries = new Map<number, Buffer>();
    for (const { records } of parsed) {
      for (const record of records) for (const { lsn, data } of record.entries) entries.set(lsn, data);
    }
    expect([...entries.values()].slice(19)).toEqual(expected.slice(19));
    expect(new Set(parsed.flatMap(({ records }) => records.map(({ type }) => type)))).toEqual(
      new Set(['DATA', 'BATCH', 'OPEN', 'SYNC', 'CHECKPOINT', 'SEAL']),
    );
    expect(parsed.map(({ header }) => [header.version, header.features])).toEqual(files.map(() => [1, 0]));
    // That release knew of no branches.
    const branches = parsed.flatMap(({ header, records }) =>
      [header, ...records].map(({ branch }) => branch),
    );
    expect(new Set(branches)).toEqual(new Set([0]));
  });

  test('can be written on', () => {
    cpSync(golden, path(), { recursive: true });
    withWal(path(), (wal) => {
      expect(wal.recovery.action).toBe('clean');
      expect(wal.appendSync(entry(45))).toBe(45);
    });
    withWal(path(), (wal) => expect(Buffer.from(wal.get(45)!.data)).toEqual(entry(45)));
  });
});
