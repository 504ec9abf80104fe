/**
 * `atomic-log torture`: a process appends and says what was acknowledged, it is killed at
 * random, and the log is opened again and compared; again and again, on the user's own disk.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { Wal } from '../durable/wal/wal';
import { now, setTimeout } from '../base/timers';
import { entryOf, SEGMENT_BYTES } from './torture-writer';
import { counted, formatCount, type Paint } from './words';

export interface TortureOptions {
  readonly seconds: number;
  /** The last kill, if it is before the last second. */
  readonly kills: number;
  /** Decides when kills come and what is appended; not how threads and the disk take turns. */
  readonly seed: number;
  /** Whether the log stays. One that is not as it must be always does. */
  readonly keeps: boolean;
}

/** So many syncs took up to `upToMs`, and longer than the bar before. */
export interface SyncBar {
  readonly upToMs: number;
  readonly count: number;
}

/** Of appendSync() of one entry: a write and a sync. */
export interface SyncTimes {
  readonly count: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly histogram: readonly SyncBar[];
}

export interface TortureReport {
  readonly path: string;
  readonly isSound: boolean;
  readonly seed: number;
  readonly seconds: number;
  readonly kills: number;
  /** How often the log was opened and compared. */
  readonly comparisons: number;
  /** Entries that were read and compared. */
  readonly entriesCompared: number;
  /** The last entry that was acknowledged. */
  readonly acknowledgedLsn: number;
  readonly tornTails: number;
  readonly syncs?: SyncTimes;
  readonly errors: readonly string[];
}

/** The longest that a writer lives after it has opened the log, or had something acknowledged. */
const LIFE_MS = 40;
/** Each fourth one lives longer: for more syncs to be counted. */
const LONG_LIFE = 5;
/** What no disk does that waits for its medium, or for its protected cache. */
const HARDLY_A_SYNC_MS = 0.02;
const BAR_WIDTH = 40;

/** What the writers said. */
class Told {
  acked = 0;
  first = 1;
  readonly #timesUs: number[] = [];

  add(line: string): string {
    const [word, value] = line.split(' ') as [string, string];
    const number = Number(value);
    if (word === 'acked') this.acked = Math.max(this.acked, number);
    if (word === 'first') this.first = Math.max(this.first, number);
    if (word === 'took') this.#timesUs.push(Math.max(number, 1));
    return word;
  }

  syncs(): SyncTimes | undefined {
    const times = this.#timesUs.sort((a, b) => a - b);
    const count = times.length;
    if (count === 0) return undefined;
    // Each bar ends at a power of two.
    const bars = new Map<number, number>();
    for (const us of times) {
      const end = 2 ** Math.ceil(Math.log2(us));
      bars.set(end, (bars.get(end) ?? 0) + 1);
    }
    const within = (share: number): number => times[Math.ceil(share * count) - 1]! / 1000;
    return {
      count,
      medianMs: within(0.5),
      p99Ms: within(0.99),
      maxMs: within(1),
      histogram: [...bars].map(([us, inBar]) => ({ upToMs: us / 1000, count: inBar })),
    };
  }
}

/** Takes the directory, which must be empty or not there; returns what undoes that. */
function takeDirectory(path: string): () => void {
  const isOwn = !existsSync(path);
  if (isOwn) mkdirSync(path, { recursive: true });
  if (readdirSync(path).length > 0)
    throw new Error(`${path}: this directory is not empty; name one that is, or that is not there yet`);
  return () => rmSync(isOwn ? path : join(path, LOG), { recursive: true, force: true });
}

const LOG = 'log';

/** Runs a writer and kills it, `lifeMs` after it has told of `what`. */
async function killOne(log: string, seed: number, what: string, lifeMs: number, told: Told): Promise<void> {
  const args = [...process.execArgv, process.argv[1]!, 'torture-writer', log, String(seed)];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let isCounting = false;
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve);
  });
  const lines = createInterface({ input: child.stdout! }).on('line', (line) => {
    if (told.add(line) !== what || isCounting) return;
    isCounting = true;
    setTimeout(() => child.kill('SIGKILL'), lifeMs);
  });
  const read = new Promise<void>((resolve) => lines.once('close', resolve));
  const status = await ended;
  await read;
  if (status !== null && !isCounting)
    throw new Error(`the writer ended by itself, with exit status ${status}`);
}

interface Compared {
  readonly entries: number;
  readonly isTorn: boolean;
}

/** Opens the log as a program would, and compares all of it; throws what is wrong. */
function compare(log: string, told: Told): Compared {
  const wal = Wal.openSync(log, { segmentBytes: SEGMENT_BYTES, verifyOnOpen: true });
  try {
    const { firstLsn, lastLsn } = wal;
    if (lastLsn < told.acked)
      throw new Error(`entry ${told.acked} was acknowledged, and the log ends at ${lastLsn}`);
    if (firstLsn < told.first)
      throw new Error(`entries before ${told.first} were dropped, and the log begins at ${firstLsn}`);
    let lsn = firstLsn;
    for (const found of wal.entries()) {
      if (found.lsn !== lsn) throw new Error(`entry ${found.lsn} is where entry ${lsn} must be`);
      if (!entryOf(lsn).equals(found.data))
        throw new Error(`entry ${lsn} has other bytes than were appended`);
      ++lsn;
    }
    if (lsn !== lastLsn + 1) throw new Error(`the entries end at ${lsn - 1}, and the log at ${lastLsn}`);
    return { entries: lsn - firstLsn, isTorn: wal.tailState === 'truncated' };
  } finally {
    wal.closeSync();
  }
}

/** Kills and compares until time is up and something was acknowledged, `isEnded` says so, or something is wrong. */
export async function torture(
  path: string,
  { seconds, kills: killsMax, seed, keeps }: TortureOptions,
  isEnded: () => boolean = () => false,
): Promise<TortureReport> {
  const release = takeDirectory(path);
  const log = join(path, LOG);
  const start = now();
  const told = new Told();
  const counts = { kills: 0, comparisons: 0, entriesCompared: 0, tornTails: 0 };
  const errors: string[] = [];
  const isOver = (): boolean =>
    counts.kills >= killsMax || isEnded() || (told.acked > 0 && now() - start >= 1000 * seconds);
  try {
    do {
      const round = seed + counts.kills;
      const lifeMs = ((round * 13) % LIFE_MS) * (round % 4 === 0 ? LONG_LIFE : 1);
      // Each second one while the log is opened, or soon after; the writer after it opens what is left.
      await killOne(log, 7919 * round + 1, round % 2 === 0 ? 'acked' : 'opened', lifeMs, told);
      ++counts.kills;
      if (counts.kills % 3 !== 0 && !isOver()) continue;
      const { entries, isTorn } = compare(log, told);
      ++counts.comparisons;
      counts.entriesCompared += entries;
      counts.tornTails += Number(isTorn);
    } while (!isOver());
  } catch (error) {
    errors.push((error as Error).message);
  }
  if (errors.length === 0 && !keeps) release();
  const syncs = told.syncs();
  return {
    path,
    isSound: errors.length === 0,
    seed,
    seconds: Math.round((now() - start) / 100) / 10,
    ...counts,
    acknowledgedLsn: told.acked,
    ...(syncs === undefined ? {} : { syncs }),
    errors,
  };
}

function describeSyncs({ count, medianMs, p99Ms, maxMs, histogram }: SyncTimes, paint: Paint): string[] {
  const most = Math.max(...histogram.map((bar) => bar.count));
  const lines = [
    `${counted(count, 'sync', 'syncs')} of one entry: median ${medianMs} ms, 99 of 100 within ${p99Ms} ms, longest ${maxMs} ms`,
    ...histogram.map(
      (bar) =>
        `  up to ${`${bar.upToMs} ms`.padEnd(12)}${'█'.repeat(Math.ceil((BAR_WIDTH * bar.count) / most))} ${formatCount(bar.count)}`,
    ),
  ];
  if (medianMs >= HARDLY_A_SYNC_MS) return lines;
  return [
    ...lines,
    paint('yellow', 'these are too short for a disk: the directory is in memory, or syncs are turned off'),
  ];
}

/** The report in words. */
export function describeTorture(report: TortureReport, paint: Paint): string[] {
  const { kills, seconds, seed, comparisons, entriesCompared, acknowledgedLsn, tornTails, syncs } = report;
  return [
    `${counted(kills, 'kill', 'kills')} in ${seconds} s (--seed ${seed}); the log was opened and compared ` +
      `${counted(comparisons, 'time', 'times')}, ${counted(entriesCompared, 'entry', 'entries')}; ` +
      `${counted(tornTails, 'torn tail', 'torn tails')}`,
    ...(report.isSound
      ? [
          paint(
            'green',
            `nothing is missing of ${counted(acknowledgedLsn, 'entry', 'entries')} that were acknowledged`,
          ),
        ]
      : report.errors.map((error) =>
          paint('red', `wrong: ${error}; the log is in ${join(report.path, LOG)}`),
        )),
    ...(syncs === undefined ? [] : describeSyncs(syncs, paint)),
    'A kill leaves the cache of the system alone: it does not show what a loss of power would.',
  ];
}
