import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

import { salvage, Wal } from 'atomic-log';

import { expectError } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';
import { parseWalFile } from '../../../support/wal-format';
import { entry, fill, range, withWal } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const filesThere = () => readdirSync(path()).filter((name) => name !== 'cursors');
const file = (number: number) => directory.path(`log/wal-${String(number).padStart(6, '0')}.log`);

function damage(number: number, at: number): void {
  const bytes = readFileSync(file(number));
  bytes[at]! ^= 1;
  writeFileSync(file(number), bytes);
}

/** LSNs of what is left, after checking the data, and the ranges that are lost. */
function salvaged() {
  const lsns: number[] = [];
  const lost: [number, number][] = [];
  for (const found of salvage(path())) {
    if ('lost' in found) {
      lost.push([found.lost.from, found.lost.to]);
    } else {
      expect(entry(found.lsn).equals(found.data)).toBe(true);
      lsns.push(found.lsn);
    }
  }
  return { lsns, lost };
}

test('an intact log comes back in full', () => {
  withWal(path(), (wal) => {
    fill(wal, 300);
    wal.truncateAfterSync(250);
    fill(wal, 280);
    wal.checkpointSync(90);
  });
  expect(salvaged()).toEqual({ lsns: range(91, 280), lost: [] });
});

test('damage costs the records it hit, and is named', () => {
  withWal(path(), (wal) => fill(wal, 300));
  const before = filesThere().map((name) => readFileSync(directory.path(`log/${name}`)));
  const { records } = parseWalFile(readFileSync(file(2)));
  // A body, a head, and two in a row.
  const hit = [records[3]!, records[10]!, records[20]!, records[21]!];
  damage(2, hit[0]!.offset + 45);
  for (const { offset } of hit.slice(1)) damage(2, offset + 9);
  expectError(() => Wal.openSync(path(), { verifyOnOpen: true }), 'ERR_CORRUPT', /salvage/);
  const gone = hit.map(({ lsn }) => lsn);
  const { lsns, lost } = salvaged();
  expect(lost).toEqual([
    [gone[0], gone[0]],
    [gone[1], gone[1]],
    [gone[2], gone[3]],
  ]);
  expect(lsns).toEqual(range(1, 300).filter((lsn) => !gone.includes(lsn)));
  const after = filesThere().map((name) => readFileSync(directory.path(`log/${name}`)));
  expect(after.filter((bytes, i) => !bytes.equals(before[i]!))).toHaveLength(1);
});

test('damaged headers and missing files cost no more than they held', () => {
  withWal(path(), (wal) => fill(wal, 400));
  const last = (number: number) => parseWalFile(readFileSync(file(number))).nextLsn - 1;
  const [second, third] = [last(2), last(3)];
  damage(1, 50);
  damage(4, 60);
  rmSync(file(3));
  const { lsns, lost } = salvaged();
  expect(lost).toEqual([[second + 1, third]]);
  expect(lsns).toEqual(range(1, 400).filter((lsn) => lsn <= second || lsn > third));
});

test('random damage: whatever is said to be there is what was written', () => {
  withWal(path(), (wal) => fill(wal, 300));
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  const files = readdirSync(path()).filter((name) => name.endsWith('.log'));
  for (let round = 0; round < 40; ++round) {
    damage(1 + random(files.length), random(8192));
    const { lsns, lost } = salvaged();
    const named = lost.flatMap(([from, to]) => range(from, to));
    const end = Math.max(...lsns, ...named);
    expect([...lsns, ...named].sort((a, b) => a - b)).toEqual(range(1, end));
  }
});

test('refuses what is no log', () => {
  expectError(() => [...salvage(directory.path('none'))], 'ERR_FILE_NOT_FOUND', /no such directory/);
  expectError(() => salvage(5 as never), 'ERR_INVALID_ARG_TYPE', /directory must/);
  withWal(path(), (wal) => fill(wal, 3));
  const blank = Buffer.alloc(8192);
  writeFileSync(file(1), blank);
  // A file that was being made when the power failed.
  expect([...salvage(path())]).toEqual([]);
  blank[5000] = 1;
  writeFileSync(file(1), blank);
  expectError(
    () => [...salvage(path())],
    'ERR_CORRUPT',
    /the header of a file that holds records is damaged/,
  );
});
