// Real processes, really killed: what they said was acknowledged is there.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { WalReader } from 'atomic-log';

import { cliInTime } from '../support/cli';
import { temporaryDirectory } from '../support/segments';
import { sized } from '../support/sizes';
import { parseWalFile } from '../support/wal-format';

const directory = temporaryDirectory();
const KILLS = sized('CRASH_KILLS', { small: 20, long: 200 });
const TIMEOUT_MS = 30 * 60_000;

interface Report {
  kills: number;
  comparisons: number;
  acknowledgedLsn: number;
  tornTails: number;
}

test(
  `${KILLS} writers are killed, and nothing that was acknowledged is lost`,
  () => {
    const path = directory.path('torture');
    const args = ['torture', path, '--kills', String(KILLS), '--seconds', '100000', '--seed', '0'];
    const { status, stdout, stderr } = cliInTime(TIMEOUT_MS, ...args, '--keep', '--json');
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout, stderr: '' });
    const { kills, comparisons, acknowledgedLsn, tornTails } = JSON.parse(stdout) as Report;
    expect(kills).toBe(KILLS);
    expect(comparisons).toBeGreaterThanOrEqual(Math.floor(KILLS / 3));
    expect(acknowledgedLsn).toBeGreaterThanOrEqual(KILLS / 2);
    // A kill leaves the system's cache alone: it tears nothing that was handed over in one piece.
    expect(tornTails).toBeLessThan(comparisons);
    const log = join(path, 'log');
    using reader = WalReader.open(log);
    expect(reader.lastLsn).toBeGreaterThanOrEqual(acknowledgedLsn);
    // By a parser that has nothing in common with what wrote them.
    const files = readdirSync(log).filter((name) => name.endsWith('.log'));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) parseWalFile(readFileSync(join(log, name)));
  },
  TIMEOUT_MS,
);
