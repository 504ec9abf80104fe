/** What a log is and has, for people: the summary of a source, with its bytes scaled and its times as ages. */
import { escape, formatTable } from './output';
import type { SegmentSummary, SharedSummary, SlotSummary, Summary, WalSummary } from './sources';
import { counted, formatAge, formatCount, type Paint } from './words';

type Scale = (bytes: number) => string;

/** A binary unit, and three digits. */
export async function byteScale(): Promise<Scale> {
  const { default: prettyBytes } = await import('pretty-bytes');
  return (bytes) => prettyBytes(bytes, { binary: true, maximumFractionDigits: 1 });
}

/** Names of facts stand in a column of this width. */
const NAME_COLUMNS = 16;
/** A log may have thousands. */
const FILES_SHOWN = 40;

interface View {
  readonly scale: Scale;
  readonly paint: Paint;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The summary as lines, without a last line break. */
export async function describeSummary(summary: Summary, paint: Paint, now = Date.now()): Promise<string> {
  const view = { scale: await byteScale(), paint, now };
  return (await partsOf(summary, view)).join('\n');
}

function partsOf(summary: Summary, view: View): Promise<string[]> | string[] {
  switch (summary.kind) {
    case 'write-ahead log':
      return walParts(summary, view);
    case 'segment file':
      return segmentParts(summary, view);
    case 'shared log':
      return sharedParts(summary, view);
  }
}

function facts(title: string, rows: readonly (readonly [string, string])[], { paint }: View): string {
  const lines = rows.map(([name, value]) => `  ${name.padEnd(NAME_COLUMNS)}${value}`);
  return [paint('bold', title), ...lines].join('\n');
}

const since = (mtimeMs: number, { now }: View): string =>
  `${formatAge(now - mtimeMs)} (${new Date(mtimeMs).toISOString()})`;

const plural = (bytes: number, { scale }: View): string => `${scale(bytes)} (${formatCount(bytes)} bytes)`;

async function walParts(summary: WalSummary, view: View): Promise<string[]> {
  const { path, logId, firstLsn, lastLsn, provedLsn, metadata, files, cursors } = summary;
  const { scale, paint, now } = view;
  const count = lastLsn - firstLsn + 1;
  const entries =
    count === 0
      ? `none; the next one is ${firstLsn}`
      : `${formatCount(count)}: LSN ${firstLsn} to ${lastLsn}`;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const proved = provedLsn < firstLsn ? 'none of them is' : `those up to ${provedLsn} are`;
  const unproved = lastLsn > provedLsn ? paint('yellow', `; ${proved} proved to be on disk`) : '';
  const parts = [
    facts(
      `write-ahead log ${escape(path)}`,
      [
        ['entries', `${entries}${unproved}`],
        ['files', `${counted(files.length, 'file', 'files')}, ${scale(bytes)}`],
        ['last write', since(Math.max(...files.map(({ mtimeMs }) => mtimeMs)), view)],
        ['writer', writerOf(summary, paint)],
        ['free on disk', scale(summary.availableBytes)],
        ['log id', logId],
        ...(metadata === '' ? [] : [['metadata', metadata] as const]),
      ],
      view,
    ),
    await formatTable(
      ['file', 'entries', 'first LSN', 'last LSN', 'bytes', 'last write'],
      files
        .slice(-FILES_SHOWN)
        .map((file) => [
          file.path.replace(/^.*[\\/]/, ''),
          formatCount(file.lastLsn - file.firstLsn + 1),
          String(file.firstLsn),
          file.lastLsn < file.firstLsn ? '–' : String(file.lastLsn),
          scale(file.bytes),
          formatAge(now - file.mtimeMs),
        ]),
    ),
  ];
  if (files.length > FILES_SHOWN) {
    parts.push(
      `${counted(files.length - FILES_SHOWN, 'older file is', 'older files are')} not shown; --json has all`,
    );
  }
  if (cursors.length === 0) return parts;
  parts.push(
    await formatTable(
      ['cursor', 'next LSN', 'lag', 'holder'],
      cursors.map(({ name, nextLsn, lag, holder, error }) => [
        escape(name),
        nextLsn === undefined ? paint('red', error?.code ?? '') : String(nextLsn),
        lag === undefined ? '' : formatCount(lag),
        holder === undefined ? '' : `process ${holder}`,
      ]),
    ),
  );
  const errors = cursors.flatMap(({ error }) => (error === undefined ? [] : [escape(error.message)]));
  return [...parts, ...errors];
}

function writerOf({ isLocked, holder }: { isLocked: boolean; holder?: number }, paint: Paint): string {
  if (!isLocked) return 'none';
  return paint('green', holder === undefined ? 'a process has it open' : `process ${holder}`);
}

function segmentParts(summary: SegmentSummary, view: View): string[] {
  const { path, size, records, writeOffset, remaining, tornBytes, validBytesAfter } = summary;
  const { scale, paint } = view;
  const damage =
    validBytesAfter > 0
      ? paint('red', `${plural(tornBytes, view)}, ${scale(validBytesAfter)} of intact records`)
      : undefined;
  const torn = damage ?? (tornBytes > 0 ? paint('yellow', plural(tornBytes, view)) : 'none');
  return [
    facts(
      `segment file ${escape(path)}`,
      [
        ['records', `${formatCount(records)}, up to offset ${writeOffset}`],
        ['size', plural(size, view)],
        ['room left', plural(remaining, view)],
        ['torn bytes', torn],
        ['last write', since(summary.mtimeMs, view)],
        ['writer', writerOf(summary, paint)],
        ['free on disk', scale(summary.availableBytes)],
      ],
      view,
    ),
  ];
}

function slotText({ slot, pid, pinnedSegments }: SlotSummary): string {
  const kept = pinnedSegments === 0 ? '' : `, keeps ${counted(pinnedSegments, 'segment', 'segments')}`;
  return pid === undefined ? `slot ${slot}${kept}` : `${pid} (slot ${slot}${kept})`;
}

function sharedParts(summary: SharedSummary, view: View): string[] {
  const { firstIndex, endIndex, columns, codec, slots, readersMax, segments, segmentBytes } = summary;
  const { scale, paint } = view;
  const count = endIndex - firstIndex;
  const types = Object.entries(columns).map(([name, type]) => `${escape(name)}: ${type}`);
  const writer = summary.ended ? 'none; it has ended the log' : writerOf(summary, paint);
  const kept = summary.pinnedSegments === 0 ? '' : `, ${summary.pinnedSegments} that readers keep`;
  return [
    facts(
      `shared log ${escape(summary.path)}`,
      [
        [
          'entries',
          count === 0
            ? `none; the next one is ${endIndex}`
            : `${formatCount(count)}: index ${firstIndex} to ${endIndex - 1}`,
        ],
        ['columns', codec === undefined ? types.join(', ') : `values of the codec ${escape(codec)}`],
        [
          'window',
          `${formatCount(summary.retainedCapacity)} entries and more, in segments of ${formatCount(summary.segmentCapacity)}`,
        ],
        [
          'segments',
          `${summary.retainedSegments} in the window${kept}, of ${segments} with ${scale(segmentBytes)} each`,
        ],
        ['size', plural(summary.size, view)],
        ['writer', writer],
        [
          'processes',
          slots.length === 0
            ? `none, of ${readersMax}`
            : `${slots.length} of ${readersMax}: ${slots.map(slotText).join(', ')}`,
        ],
        [
          'boot id',
          summary.isOfEarlierRun
            ? paint('yellow', `${summary.bootId}, of an earlier run of the system`)
            : summary.bootId,
        ],
        ['free on disk', scale(summary.availableBytes)],
        ['log id', summary.logId],
      ],
      view,
    ),
  ];
}
