/** After a restart: the window of a journaled log is made again from the newest entries that are on disk. */
import { plainError } from '../base/errors';
import { withDetails } from '../durable/errors';
import type { Wal } from '../durable/wal/wal';
import type { Layout } from '../memory/layout';
import { storeSources, type Writer } from '../memory/writer';
import { FrameColumns, frameEntries } from './frame-columns';

/** Entries, and bytes of their frames, that are stored together when the window is made again. */
const REBUILT_ENTRIES = 4096;
const REBUILT_BYTES = 1 << 20;

/** Stores, part by part, what is on disk from the writer's next entry on. */
export function* rebuild<T>(
  writer: Writer<T>,
  { wal, layout, layoutNumber, base }: { wal: Wal; layout: Layout; layoutNumber: number; base: number },
): IterableIterator<void> {
  const columns = new FrameColumns(layout, layoutNumber, wal.path);
  let bytes = 0;
  for (const entry of wal.entries({ from: writer.nextIndex + base })) {
    if (frameEntries(entry) === 0) continue;
    columns.add(entry);
    bytes += entry.data.length;
    if (columns.length < REBUILT_ENTRIES && bytes < REBUILT_BYTES) continue;
    writer[storeSources](columns.columns(layout.dataBytes));
    columns.clear();
    bytes = 0;
    yield;
  }
  writer[storeSources](columns.columns(layout.dataBytes));
  const { lastLsn, path } = wal;
  if (writer.nextIndex + base !== lastLsn + 1) throw notDense(path, lastLsn);
}

function notDense(path: string, lastLsn: number): Error {
  return withDetails(
    plainError(
      'ERR_CORRUPT',
      `${path}: the frames do not hold all entries up to ${lastLsn}; restore the log, or read it with Wal`,
    ),
    { path },
  );
}
