// Real processes, really killed: what they said was acknowledged is there.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { Wal, WalReader } from 'atomic-log';

import { packageRoot } from '../support/internals';
import { temporaryDirectory } from '../support/segments';
import { sized } from '../support/sizes';
import { parseWalFile } from '../support/wal-format';

const directory = temporaryDirectory();
const KILLS = sized('CRASH_KILLS', { small: 20, long: 200 });
/** Kills from one look at the log to the next. */
const STEP = Math.ceil(KILLS / 20);

/** As in wal-writer.cjs. */
function entry(lsn: number): Buffer {
  const bytes = Buffer.alloc(8 + ((lsn * 37) % 400), lsn % 251);
  bytes.writeDoubleLE(lsn);
  return bytes;
}

/** Runs a writer, kills it some time after it has told of `what`; the highest LSN it told of. */
async function writeUntilKilled(
  path: string,
  seed: number,
  what: 'opened' | 'acked',
  lifeMs: number,
): Promise<{ acked: number; first: number }> {
  const child = spawn(
    process.execPath,
    [join(__dirname, 'wal-writer.cjs'), packageRoot, path, String(seed)],
    { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] },
  );
  const told = { acked: 0, first: 1 };
  let isCounting = false;
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    const [word, lsn] = line.split(' ');
    if (word === 'first') told.first = Number(lsn);
    else told.acked = Math.max(told.acked, Number(lsn));
    if (isCounting || word !== what) continue;
    isCounting = true;
    setTimeout(() => child.kill('SIGKILL'), lifeMs);
  }
  return told;
}

test(
  `${KILLS} writers are killed, and nothing that was acknowledged is lost`,
  async () => {
    const path = directory.path('log');
    let acknowledged = 0;
    let torn = 0;
    for (let round = 0; round < KILLS; ++round) {
      const what = round % 2 === 0 ? 'acked' : 'opened';
      const { acked, first } = await writeUntilKilled(path, 7919 * round + 1, what, (round * 13) % 40);
      expect(acked).toBeGreaterThanOrEqual(acknowledged);
      acknowledged = acked;
      if ((round + 1) % STEP !== 0) continue;
      const wal = Wal.openSync(path, { segmentBytes: 16384, verifyOnOpen: true });
      try {
        torn += Number(wal.tailState === 'truncated');
        expect(wal.lastLsn).toBeGreaterThanOrEqual(acknowledged);
        expect(wal.firstLsn).toBeGreaterThanOrEqual(first);
        let lsn = wal.firstLsn;
        for (const found of wal.entries()) {
          if (found.lsn !== lsn || !entry(lsn).equals(found.data)) throw new Error(`entry ${lsn} is wrong`);
          ++lsn;
        }
        expect(lsn).toBe(wal.lastLsn + 1);
      } finally {
        wal.closeSync();
      }
      using reader = WalReader.open(path);
      expect(reader.lastLsn).toBeGreaterThanOrEqual(acknowledged);
      for (const name of readdirSync(path)) {
        if (name.endsWith('.log')) parseWalFile(readFileSync(join(path, name)));
      }
    }
    expect(acknowledged).toBeGreaterThanOrEqual(KILLS / 2);
    // A kill leaves the system's cache alone: it tears nothing that was handed over in one piece.
    expect(torn).toBeLessThan(KILLS);
  },
  30 * 60_000,
);
