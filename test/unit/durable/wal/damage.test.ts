/** One damage, one word: opening, reading, salvage and the command line say the same. The native test has many more. */
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';

import { salvage, Wal, WalReader, type WalError } from 'atomic-log';

import { cli } from '../../../support/cli';
import { temporaryDirectory } from '../../../support/segments';
import { parseWalFile } from '../../../support/wal-format';
import { fill, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const file = (number: number) => directory.path(`log/wal-${String(number).padStart(6, '0')}.log`);
const record = (number: number, at: number) => parseWalFile(readFileSync(file(number))).records.at(at)!;

function flip(number: number, offset: number, mask = 1): void {
  const bytes = readFileSync(file(number));
  bytes[offset]! ^= mask;
  writeFileSync(file(number), bytes);
}

/** What is thrown, without the stack. */
function thrown(run: () => unknown): WalError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error as WalError;
  }
}

const told = (error: WalError | undefined) =>
  error && { code: error.code, message: error.message, path: error.path, offset: error.offset };

/** Four files of which the last is not full. */
const NEWEST = 4;
const damages: Record<string, () => void> = {
  'a record of an older file': () => flip(2, record(2, 3).offset + 45),
  'a head of an older file': () => flip(2, record(2, 3).offset + 9),
  'the SEAL of an older file': () => flip(1, record(1, -1).offset + 8),
  'a record of the newest file before a proof': () => flip(NEWEST, record(NEWEST, 1).offset + 45),
  'the file number in an older header': () => flip(1, 32),
  'the header of the newest file': () => flip(NEWEST, 60),
  'an older file, one byte longer': () => appendFileSync(file(1), '\0'),
  'an older file, one byte shorter': () => truncateSync(file(1), 8191),
  'the newest file, one byte longer': () => appendFileSync(file(NEWEST), '\0'),
  'the newest file, one byte shorter': () => truncateSync(file(NEWEST), 8191),
  'a missing file': () => rmSync(file(2)),
  'a missing first file': () => rmSync(file(1)),
  'two files with one number': () => copyFileSync(file(2), directory.path('log/wal-2.log')),
  'a renamed file': () => renameSync(file(NEWEST), file(NEWEST + 2)),
  'a file in the place of another': () => copyFileSync(file(1), file(2)),
  'a file of another log': () => {
    withWal(directory.path('other'), (wal) => fill(wal, 200));
    copyFileSync(directory.path('other/wal-000002.log'), file(2));
  },
  'a foreign file': () => writeFileSync(file(2), Buffer.alloc(8192, 'x')),
  'a newer version': () => flip(NEWEST, 8, 3),
  'an unknown feature': () => flip(NEWEST, 12),
  'a torn tail': () => flip(NEWEST, 7000),
  'a newest file that is being made': () => writeFileSync(file(NEWEST + 1), Buffer.alloc(100)),
  nothing: () => undefined,
};

/** One of each kind: a process takes longer than all the rest. */
const withCommandLine = [
  'the SEAL of an older file',
  'a record of the newest file before a proof',
  'an older file, one byte longer',
  'a foreign file',
  'a torn tail',
];

function expectVerified(opened: WalError | undefined): void {
  const verify = cli('verify', '--json', path());
  if (opened?.code === 'ERR_FORMAT') {
    expect(verify).toMatchObject({ status: 2, stderr: `atomic-log: ${opened.message}\n` });
    return;
  }
  const verdict = JSON.parse(verify.stdout) as { isSound: boolean; items: number; errors: string[] };
  expect(verify.status).toBe(opened === undefined ? 0 : 1);
  expect(verdict.isSound).toBe(opened === undefined);
  for (const error of verdict.errors) expect(opened!.message.startsWith(error)).toBe(true);
  expect(verdict.errors).toHaveLength(opened === undefined ? 0 : 1);
  if (opened === undefined) expect([...salvage(path())]).toHaveLength(verdict.items);
}

test.each(Object.keys(damages))('%s', (name) => {
  withWal(path(), (wal) => {
    while (wal.files.length < NEWEST) fill(wal, wal.lastLsn + 1);
    fill(wal, wal.lastLsn + 5);
    // Proves what comes before it.
    wal.checkpointSync(1);
  });
  damages[name]!();
  const copy = directory.path('copy');
  cpSync(path(), copy, { recursive: true });

  const read = thrown(() => {
    using reader = WalReader.open(path(), { tail: 'intact' });
    return [...reader.entries()];
  });
  const damage = salvage(path()).damage;
  const opened = thrown(() => Wal.openSync(path(), { verifyOnOpen: true }).closeSync());

  expect(told(damage)).toEqual(told(opened));
  expect(told(read)).toEqual(told(opened));
  // What a reader of the copy is given, the log holds after it was opened.
  if (opened === undefined) {
    using before = WalReader.open(copy, { tail: 'intact' });
    using after = WalReader.open(path());
    expect([before.firstLsn, before.lastLsn]).toEqual([after.firstLsn, after.lastLsn]);
    expect([...salvage(copy)]).toHaveLength(after.lastLsn - after.firstLsn + 1);
  }
  rmSync(path(), { recursive: true });
  renameSync(copy, path());
  if (withCommandLine.includes(name)) expectVerified(opened);
});
