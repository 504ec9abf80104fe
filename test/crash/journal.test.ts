// Processes with a journaled log, really killed: what was said to be durable is there, at its index.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { AtomicLog } from 'atomic-log';

import { packageRoot } from '../support/internals';
import { temporaryDirectory } from '../support/segments';
import { sized } from '../support/sizes';

const directory = temporaryDirectory();
const KILLS = sized('JOURNAL_KILLS', { small: 6, long: 200 });

/** As in journal-writer.cjs. */
const entryOf = (index: number) => ({ n: index, x: index / 7, name: `entry ${index} `.repeat(index % 5) });

/** Runs a writer and kills it; what it has told. */
async function writeUntilKilled(
  path: string,
  seed: number,
  lifeMs: number,
): Promise<{ opened: number; durable: number; wrong: number }> {
  const child = spawn(
    process.execPath,
    [join(__dirname, 'journal-writer.cjs'), packageRoot, path, String(seed)],
    { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] },
  );
  const told = { opened: 0, durable: 0, wrong: -1 };
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    const [word, index] = line.split(' ') as [keyof typeof told, string];
    told[word] = Math.max(told[word], Number(index));
    if (word === 'opened') setTimeout(() => child.kill('SIGKILL'), lifeMs);
  }
  return told;
}

test(
  `${KILLS} kills, and nothing that was durable is missing or has another index`,
  async () => {
    const path = directory.path('log');
    let durable = 0;
    for (let kill = 0; kill < KILLS; ++kill) {
      const told = await writeUntilKilled(path, 7919 * kill + 1, (kill * 37) % 150);
      expect(told.wrong).toBe(-1);
      expect(told.opened).toBeGreaterThanOrEqual(durable);
      durable = Math.max(durable, told.opened, told.durable);

      await using log = await AtomicLog.open({
        wal: path,
        schema: { n: 'u32', x: 'f64', name: 'utf8' },
        retainedCapacity: 300,
        segmentCapacity: 50,
        dataBytes: 8192,
      });
      expect(log.endIndex).toBeGreaterThanOrEqual(durable);
      durable = log.endIndex;
      const snapshot = log.snapshot();
      expect(snapshot.length).toBeGreaterThanOrEqual(Math.min(300, durable - log.oldestIndex));
      expect([...snapshot]).toEqual(
        Array.from({ length: snapshot.length }, (_, i) => entryOf(snapshot.firstIndex + i)),
      );
      snapshot.close();
      let next = log.oldestIndex;
      if (next === durable) continue;
      for await (const batch of log.follow()) {
        expect([batch.firstIndex, batch.lost]).toEqual([next, 0]);
        for (const entry of batch) {
          const { n, x, name } = entryOf(next++);
          if (entry.n !== n || entry.x !== x || entry.name !== name) throw new Error(`entry ${n} is wrong`);
        }
        if (next === durable) break;
      }
    }
  },
  KILLS * 60_000,
);
