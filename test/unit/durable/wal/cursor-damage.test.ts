/** What someone else does to the directory of the cursors, and what a consumer is told that lost entries. */
import { mkdirSync, rmSync } from 'node:fs';

import { Wal, WalReader } from 'atomic-log';

import { expectError } from '../../../support/errors';
import { temporaryDirectory } from '../../../support/segments';
import { fill, SMALL_FILES } from '../../../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const file = (name: string) => directory.path(`log/cursors/${name}`);

/** A log whose cursor `billing` stands on entry 100. */
function withCursor(): Wal {
  const wal = Wal.openSync(path(), SMALL_FILES);
  fill(wal, 300);
  using cursor = wal.cursorSync('billing');
  cursor.commitSync(wal.get(100)!.position);
  return wal;
}

test('a checkpoint keeps what a cursor needs after their LOCK was deleted', async () => {
  using wal = withCursor();
  rmSync(file('LOCK'));
  wal.checkpointSync(200);
  expect(wal.firstLsn).toBe(100);
  await wal.checkpoint(200);
  expect(wal.firstLsn).toBe(100);
  // The next one that is opened makes it again.
  using other = wal.cursorSync('other');
  expect(other.nextLsn).toBe(100);
  using cursor = wal.cursorSync('billing');
  cursor.commitSync(wal.get(200)!.position);
  other.deleteSync();
  wal.checkpointSync(250);
  expect(wal.firstLsn).toBe(200);
});

test('what is no file holds checkpoints under its own name, and hides no other cursor', async () => {
  using wal = withCursor();
  mkdirSync(file('cursor-odd'));
  const isNamed = { code: 'ERR_FILE_ACCESS', path: file('cursor-odd') };
  await expect(wal.checkpoint(50)).rejects.toMatchObject(isNamed);
  expect(wal.firstLsn).toBe(1);
  using reader = WalReader.open(path());
  for (const log of [wal, reader]) {
    expect(log.cursors()).toMatchObject([
      { name: 'billing', nextLsn: 101 },
      { name: 'odd', position: undefined, nextLsn: undefined, lag: undefined, error: isNamed },
    ]);
  }
  expectError(() => wal.cursorSync('odd', { reset: true }), 'ERR_FILE_ACCESS', /cursor-odd: .*move it away/);
  rmSync(file('cursor-odd'), { recursive: true });
  await wal.checkpoint(50);
  expect(wal.firstLsn).toBe(51);
  mkdirSync(file('lock-other'));
  expectError(() => wal.cursorSync('other'), 'ERR_FILE_ACCESS', /lock-other: .*move it away/);
});

test('a commit says what a forced checkpoint has dropped', async () => {
  using wal = withCursor();
  using cursor = wal.cursorSync('billing');
  const [early, late] = [150, 250].map((lsn) => wal.get(lsn)!.position);
  await wal.checkpoint(200, { force: true });
  const lost = { code: 'ERR_CHECKPOINTED', firstLsn: 201, lost: { from: 151, to: 200 } };
  const message = expect.stringMatching(
    /cursor 'billing': entries 151 to 200 .*Go on with entry 201/,
  ) as string;
  await expect(cursor.commit(early!)).rejects.toMatchObject({ ...lost, message });
  expect(() => cursor.commitSync(early!)).toThrow(expect.objectContaining({ ...lost, message }) as Error);
  expect(cursor.nextLsn).toBe(101);
  await cursor.commit(late!);
  expect(cursor.nextLsn).toBe(251);
});
