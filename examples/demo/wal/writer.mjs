// @ts-check
// Appends entries to a write-ahead log as fast as they are acknowledged, says which ones are, and kills itself.
//
//   node writer.mjs DIRECTORY MILLISECONDS
import { writeSync } from 'node:fs';
import { Wal } from 'atomic-log';
import { entryOf } from './entry.mjs';

/** Appends under way. They share a sync. */
const UNDER_WAY = 64;
const [directory, milliseconds] = process.argv.slice(2);

const wal = await Wal.open(directory, { segmentBytes: 1 << 20 });
let next = wal.lastLsn + 1;
let isFirst = true;
for (let i = 0; i < UNDER_WAY; ++i) void appendAgainAndAgain();

async function appendAgainAndAgain() {
  for (;;) {
    const lsn = await wal.append(entryOf(next++));
    // What the pipe has, the parent gets, whatever becomes of this process.
    writeSync(1, `${lsn}\n`);
    // With appends under way: no handler runs, nothing is closed or flushed.
    if (isFirst) setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(milliseconds));
    isFirst = false;
  }
}
