/**
 * `atomic-log watch`: the summary of a log again and again, with what it gained since the
 * last look. On a terminal it stays in its place; elsewhere each look is a line.
 */
import { describeSummary, byteScale } from './inspect';
import { print } from './output';
import type { Source, Summary } from './sources';
import { waitForTime } from '../base/waits';
import { counted, type Paint } from './words';

export interface WatchOptions {
  readonly intervalMs: number;
  /** How many looks; until it is ended by default. */
  readonly looks: number;
  readonly isJson: boolean;
  readonly isTerminal: boolean;
  readonly paint: Paint;
}

/** What is counted. Each opening of a log for writing may make `items` less than it was. */
interface Look {
  readonly at: number;
  readonly items: number;
}

function itemsOf(summary: Summary): number {
  switch (summary.kind) {
    case 'write-ahead log':
      return summary.lastLsn;
    case 'segment file':
      return summary.records;
    case 'shared log':
      return summary.endIndex;
  }
}

function lookAt(summary: Summary, at: number): Look {
  return { at, items: itemsOf(summary) };
}

/** Items per second between two looks; undefined with less than two. */
function rateOf(last: Look | undefined, now: Look): number | undefined {
  if (last === undefined || now.at <= last.at) return undefined;
  return Math.round((1000 * (now.items - last.items)) / (now.at - last.at));
}

/** One line: how far it is, how fast, and how far the slowest cursor is behind. */
async function lineOf(summary: Summary, rate: number | undefined): Promise<string> {
  const scale = await byteScale();
  const pace = rate === undefined ? '' : `, ${rate >= 0 ? '+' : ''}${rate}/s`;
  const free = `${scale(summary.availableBytes)} free on disk`;
  if (summary.kind === 'segment file') {
    return `${counted(summary.records, 'record', 'records')}${pace}, ${scale(summary.remaining)} of room left, ${free}`;
  }
  if (summary.kind === 'shared log') {
    const { endIndex, slots, isLocked } = summary;
    const readers = counted(slots.length, 'process', 'processes');
    return `end index ${endIndex}${pace}, ${readers}, ${isLocked ? 'a writer' : 'no writer'}`;
  }
  const { lastLsn, files, cursors } = summary;
  const lags = cursors.flatMap(({ name, lag }) => (lag === undefined ? [] : [{ name, lag }]));
  const slowest = lags.sort((a, b) => b.lag - a.lag)[0];
  const behind = slowest === undefined ? '' : `, cursor ${slowest.name} lags by ${slowest.lag}`;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return `last LSN ${lastLsn}${pace}, ${counted(files.length, 'file', 'files')} of ${scale(bytes)}${behind}, ${free}`;
}

export async function watch(open: () => Promise<Source>, options: WatchOptions): Promise<void> {
  const { intervalMs, looks, isJson, isTerminal, paint } = options;
  const redraw = isTerminal && !isJson ? (await import('log-update')).default : undefined;
  let last: Look | undefined;
  for (let look = 0; look < looks; ++look) {
    if (look > 0) await waitForTime(intervalMs).done;
    // Opened each time: the directory may be another one by then, and nothing is kept open meanwhile.
    const source = await open();
    const summary = source.summary();
    source.close();
    const now = lookAt(summary, Date.now());
    const rate = rateOf(last, now);
    last = now;
    if (isJson) {
      await print(`${JSON.stringify({ ...summary, ...(rate === undefined ? {} : { perSecond: rate }) })}\n`);
    } else if (redraw === undefined) {
      await print(`${await lineOf(summary, rate)}\n`);
    } else {
      redraw(`${await describeSummary(summary, paint)}\n${await lineOf(summary, rate)}\nCtrl-C ends.`);
    }
  }
  redraw?.done();
}
