/** What a writer that was killed leaves, and readers that show it before the next writer comes. */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

import { salvage, Wal, WalReader, type WalEntry } from 'atomic-log';

import { runInChild } from '../../../support/child';
import { cli as runCli } from '../../../support/cli';
import { expectError } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';
import { parseWalFile } from '../../../support/wal-format';
import { entry, expectIntact, fill, lsnsOf, range } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const file = (number = 1) => directory.path(`log/wal-${String(number).padStart(6, '0')}.log`);

/** A writer acknowledges `count` entries at durability 'full' and is killed. */
function killWriter(count: number): void {
  const program = `
    const { Wal } = require('atomic-log');
    const wal = Wal.openSync(${JSON.stringify(path())}, { segmentBytes: 8192 });
    for (let lsn = wal.lastLsn + 1; lsn <= ${count}; ++lsn)
      wal.write(Buffer.from(Array.from({ length: 20 + ((lsn * 37) % 90) }, (_, i) => (lsn * 31 + i * 7) & 255)));
    wal.syncSync();
    process.kill(process.pid, 'SIGKILL');`;
  // Windows knows no signals: there it is an exit status like any other.
  const end = process.platform === 'win32' ? { status: 1 } : { signal: 'SIGKILL' };
  expect(() => runInChild(program)).toThrow(expect.objectContaining(end));
}

/** Zeroes the file from entry `lsn` on: a system that lost the pages of a sync that failed. */
function cutFrom(lsn: number, number = 1): void {
  const bytes = readFileSync(file(number));
  const { records } = parseWalFile(bytes);
  bytes.fill(0, records.find((record) => record.lsn === lsn)!.offset);
  writeFileSync(file(number), bytes);
}

describe('after a kill', () => {
  test('acknowledged entries are seen, and marked, before a writer opens the log', () => {
    killWriter(20);
    using durable = WalReader.open(path());
    using reader = WalReader.open(path(), { tail: 'intact' });
    expect(durable.lastLsn).toBeLessThan(20);
    expect(durable.provedLsn).toBe(durable.lastLsn);
    expect(reader.provedLsn).toBe(durable.lastLsn);
    expectIntact(reader, 1, 20);
    expect(Buffer.from(reader.get(20)!.data)).toEqual(entry(20));
    expect(lsnsOf(reader.entries({ reverse: true }))).toEqual(range(1, 20).reverse());
    expect(reader.files.at(-1)!.lastLsn).toBe(20);
    const wal = Wal.openSync(path());
    expect(wal.lastLsn).toBe(20);
    reader.refresh();
    expect([reader.lastLsn, reader.provedLsn]).toEqual([20, 20]);
    // While it has the lock, only what is proved is shown.
    wal.write(entry(21));
    wal.syncSync();
    reader.refresh();
    expect(reader.lastLsn).toBe(reader.provedLsn);
    wal.closeSync();
    reader.refresh();
    expect([reader.lastLsn, reader.provedLsn]).toEqual([21, 21]);
  });

  test('in a copy, and in a directory that may not be written', () => {
    killWriter(20);
    const copy = directory.path('copy');
    mkdirSync(copy);
    for (const name of readdirSync(path())) {
      if (name.endsWith('.log')) copyFileSync(`${path()}/${name}`, `${copy}/${name}`);
      chmodSync(`${path()}/${name}`, 0o444);
    }
    chmodSync(path(), 0o555);
    try {
      for (const place of [path(), copy]) {
        using reader = WalReader.open(place, { tail: 'intact' });
        expectIntact(reader, 1, 20);
      }
    } finally {
      chmodSync(path(), 0o755);
    }
  });

  test('no reader keeps a writer out', async () => {
    killWriter(3);
    using reader = WalReader.open(path(), { tail: 'intact' });
    for (let i = 0; i < 50; ++i) {
      reader.refresh();
      const wal = await Wal.open(path());
      reader.refresh();
      await wal.close();
    }
    expect(reader.lastLsn).toBe(3);
  });
});

describe('what was seen and is lost', () => {
  test('is an error of its follower, with the first LSN', async () => {
    killWriter(20);
    using reader = WalReader.open(path(), { tail: 'intact', pollMs: 2 });
    const follower = reader.follow();
    const first = (await follower.next()).value as WalEntry[];
    expect(first.at(-1)!.lsn).toBe(20);
    const late = reader.follow({ from: 'latest' });
    const early = reader.follow();
    cutFrom(12);
    const wal = Wal.openSync(path());
    fill(wal, 25);
    wal.closeSync();
    for (const lost of [follower, late]) {
      await expect(lost.next()).rejects.toMatchObject({ code: 'ERR_TRUNCATED', lsn: 12 });
    }
    // One that was shown none of it goes on.
    expect(((await early.next()).value as WalEntry[]).at(-1)!.lsn).toBe(25);
    expectIntact(reader, 1, 25);
    expect(reader.provedLsn).toBe(25);
  });

  test('is no error when all of it came back', async () => {
    killWriter(20);
    using reader = WalReader.open(path(), { tail: 'intact', pollMs: 2 });
    const follower = reader.follow();
    expect(((await follower.next()).value as WalEntry[]).at(-1)!.lsn).toBe(20);
    const wal = Wal.openSync(path());
    fill(wal, 30);
    const lsns: number[] = [];
    while (lsns.at(-1) !== 30) lsns.push(...lsnsOf((await follower.next()).value as WalEntry[]));
    expect(lsns).toEqual(range(21, 30));
    wal.closeSync();
  });

  test('while it is read, is no corruption', () => {
    killWriter(20);
    using reader = WalReader.open(path(), { tail: 'intact' });
    cutFrom(12);
    expect(expectError(() => reader.get(15), 'ERR_TRUNCATED', /from 12 on/)).toMatchObject({ lsn: 12 });
    expect(reader.lastLsn).toBe(11);
  });
});

test('refuses what is no tail', () => {
  expectError(
    () => WalReader.open(path(), { tail: 'all' as never }),
    'ERR_INVALID_ARG_VALUE',
    /options\.tail/,
  );
  expectError(() => WalReader.open(path(), { tail: 1 as never }), 'ERR_INVALID_ARG_TYPE', /options\.tail/);
});

test('the command line shows it, says where the proof ends, and counts alike', () => {
  killWriter(20);
  const { provedLsn } = WalReader.open(path(), { tail: 'intact' });
  const said = new RegExp(`entries ${provedLsn + 1} to 20 are intact, but not proved`);
  const inspect = JSON.parse(runCli('inspect', '--json', path()).stdout) as object;
  expect(inspect).toMatchObject({ firstLsn: 1, lastLsn: 20, provedLsn });
  const verify = JSON.parse(runCli('verify', '--json', path()).stdout) as object;
  expect(verify).toMatchObject({ isSound: true, items: 20, unproved: { from: provedLsn + 1, to: 20 } });
  expect(runCli('verify', path()).stdout).toMatch(said);
  const dump = runCli('dump', '--format', 'json', path());
  expect(dump.stdout.trim().split('\n')).toHaveLength(20);
  expect(dump.stderr).toMatch(said);
  const tail = runCli('tail', '-n', '3', '--format', 'json', path());
  expect(tail.stdout.trim().split('\n')).toHaveLength(3);
  expect(tail.stderr).toMatch(said);
  expect([...salvage(path())]).toHaveLength(20);
  Wal.openSync(path()).closeSync();
  for (const command of ['dump', 'tail']) expect(runCli(command, path()).stderr).toBe('');
  expect(runCli('verify', path()).stdout).not.toMatch(/proves/);
});
