/**
 * The process that `atomic-log torture` kills: it appends in every way until then, and says
 * on standard output, a line each, what was acknowledged.
 *
 *     opened 12      the log is open, and ends there
 *     acked 15       this entry, and all before it, are acknowledged
 *     first 3        a checkpoint has dropped what is before this entry
 *     took 840       the last acknowledgement was of one write and one sync: microseconds
 */
import { writeSync } from 'node:fs';

import { Wal } from '../durable/wal/wal';
import { codeOf } from '../base/errors';
import { now } from '../base/timers';

/** `kill`: what survives a kill. `power`: what survives the loss of power. `system`: what the system has. */
export const SURVIVES = ['kill', 'power', 'system'] as const;
export type Survives = (typeof SURVIVES)[number];

/** Small: files are begun, sealed and dropped all the time. */
export const SEGMENT_BYTES = 16384;
/** How many entries checkpoints keep. */
const KEPT = 300;

/** What the entry must be, from its LSN alone. */
export function entryOf(lsn: number): Buffer {
  const bytes = Buffer.alloc(8 + ((lsn * 37) % 400), lsn % 251);
  bytes.writeDoubleLE(lsn);
  return bytes;
}

const PAUSE_MS = 1;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Not by way of the stream: what was said when the kill comes has been said. Waits for one who does not read it yet. */
function tell(word: string, value: number): void {
  const line = `${word} ${value}\n`;
  for (;;) {
    try {
      // Short enough for a pipe to take all of it or nothing.
      writeSync(1, line);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error;
    }
    Atomics.wait(pause, 0, 0, PAUSE_MS);
  }
}

/** A number below the bound, each time another one; the same ones for the same seed. */
function choices(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state % below;
  };
}

const entriesFrom = (lsn: number, count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => entryOf(lsn + i));

/** One step of the writer, chosen at random. Every LSN is known beforehand: no one else appends. */
async function step(wal: Wal, random: (below: number) => number, survives: Survives): Promise<void> {
  const next = wal.lastLsn + 1;
  switch (survives === 'system' ? 6 : random(7)) {
    case 0: {
      const start = now();
      tell('acked', wal.appendSync(entryOf(next)));
      tell('took', Math.round(1000 * (now() - start)));
      return;
    }
    case 1:
      tell('acked', (await wal.appendBatch(entriesFrom(next, 1 + random(20)))).last);
      return;
    case 2:
      for (const entry of entriesFrom(next, 10)) wal.write(entry);
      tell('acked', await wal.sync());
      return;
    case 3:
      // The system has it: a killed process loses nothing of it.
      tell('acked', await wal.append(entryOf(next), { durability: survives === 'kill' ? 'os' : 'full' }));
      return;
    case 4:
      if (wal.lastLsn > KEPT + 100) wal.checkpointSync(wal.lastLsn - KEPT);
      tell('first', wal.firstLsn);
      return;
    default:
      await Promise.all(
        entriesFrom(next, 1 + random(60)).map(async (entry) => tell('acked', await wal.append(entry))),
      );
  }
}

/** Appends until the process is killed. */
export async function writeUntilKilled(path: string, seed: number, survives: Survives): Promise<never> {
  const random = choices(seed);
  const isForSystem = survives === 'system';
  const wal = await Wal.open(path, {
    // What is written to a file is synced when the next one is begun.
    segmentBytes: isForSystem ? 1 << 22 : SEGMENT_BYTES,
    commit: { waitUs: random(3) * 200 },
    durability: isForSystem ? 'os' : 'full',
  });
  tell('opened', wal.lastLsn);
  for (;;) await step(wal, random, survives);
}
