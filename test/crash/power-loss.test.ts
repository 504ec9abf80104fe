// A real ext4, and its disk as it is at a moment in the middle of the writing: what
// the system still had in its cache is lost, as it is when the power goes.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import { cliPath } from '../support/cli';
import { canMount, copyDisk, isStopped, makeDisk, mounted } from '../support/disk';
import { packageRoot } from '../support/internals';
import { temporaryDirectory } from '../support/segments';
import { sized } from '../support/sizes';

const directory = temporaryDirectory();
const LOSSES = sized('POWER_LOSSES', { small: 2, long: 8 });
const MOUNT = () => directory.path('mnt');

/** Writes for some time after an acknowledgement, then leaves the disk as the loss of power would; what was told. */
async function loseInMidWrite(
  disk: string,
  seed: number,
  lifeMs: number,
  what: 'power' | 'system',
): Promise<{ acked: number; first: number }> {
  const program = [process.execPath, cliPath, 'torture-writer'];
  const args = [...mounted(disk, MOUNT()), ...program, join(MOUNT(), 'log'), String(seed), what];
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const told = { acked: 0, first: 1 };
  const done: Promise<void>[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, lsn] = line.split(' ');
    if (word === 'first') told.first = Number(lsn);
    if (word === 'acked') told.acked = Math.max(told.acked, Number(lsn));
    if (done.length > 0 || word !== 'acked') continue;
    done.push(
      (async () => {
        await delay(lifeMs);
        // Not child.kill(): Deno's sends one signal only.
        process.kill(child.pid!, 'SIGSTOP');
        await isStopped(child.pid!);
        await copyDisk(disk, `${disk}.left`);
        child.kill('SIGKILL');
      })(),
    );
  }
  if (done.length === 0) throw new Error('the writer had nothing acknowledged');
  await Promise.all(done);
  renameSync(`${disk}.left`, disk);
  return told;
}

const reader = `
  const { Wal } = require(process.argv[1]);
  const wal = Wal.openSync(process.argv[2], { segmentBytes: 16384, verifyOnOpen: true });
  const { firstLsn, lastLsn, tailState } = wal;
  let lsn = firstLsn;
  for (const found of wal.entries()) {
    const bytes = Buffer.alloc(8 + ((lsn * 37) % 400), lsn % 251);
    bytes.writeDoubleLE(lsn);
    if (found.lsn !== lsn || !bytes.equals(found.data)) throw new Error('entry ' + lsn + ' is wrong');
    ++lsn;
  }
  if (lsn !== lastLsn + 1) throw new Error('the entries end at ' + lsn);
  wal.closeSync();
  console.log(JSON.stringify({ firstLsn, lastLsn, tailState }));
`;

interface Found {
  firstLsn: number;
  lastLsn: number;
  tailState: string;
}

function recover(disk: string): Found {
  const program = [process.execPath, '--eval', reader, packageRoot, join(MOUNT(), 'log')];
  const { status, stdout, stderr } = spawnSync('unshare', [...mounted(disk, MOUNT()), ...program], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${status}: ${stderr}`);
  return JSON.parse(stdout) as Found;
}

// Needs root, mkfs.ext4 and loop devices.
const testOnDisk = canMount() ? test : test.skip;

function prepare(): string {
  mkdirSync(MOUNT());
  expect(makeDisk(directory.path('disk'))).toBe(true);
  return directory.path('disk');
}

// Without it the next test might lose nothing at all.
testOnDisk(
  'what only the system has is lost with the power',
  async () => {
    const disk = prepare();
    let lost = 0;
    for (let round = 0; lost === 0 && round < 20; ++round) {
      const { acked } = await loseInMidWrite(disk, round, 40, 'system');
      lost = Math.max(0, acked - recover(disk).lastLsn);
    }
    expect(lost).toBeGreaterThan(0);
  },
  10 * 60_000,
);

testOnDisk(
  `${LOSSES} losses of power on ext4, and nothing that was acknowledged is lost`,
  async () => {
    const disk = prepare();
    let acknowledged = 0;
    for (let round = 0; round < LOSSES; ++round) {
      const { acked, first } = await loseInMidWrite(
        disk,
        7919 * round + 3,
        20 + ((round * 37) % 150),
        'power',
      );
      expect(acked).toBeGreaterThanOrEqual(acknowledged);
      acknowledged = acked;
      const found = recover(disk);
      expect(found.lastLsn).toBeGreaterThanOrEqual(acknowledged);
      expect(found.firstLsn).toBeGreaterThanOrEqual(first);
    }
    expect(acknowledged).toBeGreaterThanOrEqual(LOSSES);
  },
  10 * 60_000,
);
