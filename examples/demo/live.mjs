// @ts-check
import { AtomicLog } from 'atomic-log';
import { clockSince } from './clock.mjs';
import { schemaOf } from './fields.mjs';
import { Pacer } from './pace.mjs';
import { Publisher } from './publisher.mjs';
import { ReaderPool } from './reader-pool.mjs';
import { UsageError } from './usage-error.mjs';
import { judge } from './verdict.mjs';

/**
 * @typedef {import('./displays/display.mjs').View} View
 * @typedef {import('./options.mjs').DemoOptions} DemoOptions
 * @typedef {import('./sources/source.mjs').Source} Source
 * @typedef {ReturnType<typeof openLive>} Live
 */

const SEGMENTS = 16;

/**
 * The log, its writer in this thread, its readers, and threads that get the same records by `postMessage`.
 *
 * @param {DemoOptions} options
 * @param {Source} source
 */
export function openLive(options, source) {
  const { fields } = source;
  const column = columnToShow(options, source);
  const { writer, log } = AtomicLog.claimed({
    name: 'demo',
    schema: schemaOf(fields),
    retainedCapacity: options.window,
    segmentCapacity: Math.ceil(options.window / SEGMENTS),
  });
  const origin = process.hrtime.bigint();
  const now = clockSince(origin);
  const shown = options.json ? fields : [fields[column]];
  const data = { handle: log.handle, fields, origin, poll: options.poll };
  const pool = new ReaderPool('reader', options.readers, { ...data, by: 'log', shown });
  const receivers = new ReaderPool('postMessage', options.messages ? options.readers : 0, {
    ...data,
    by: 'messages',
    shown: [],
  });
  const publisher = new Publisher(writer, source, now, receivers.readers);
  const pacer = new Pacer(publisher, options.rate ?? source.rate);
  const view = viewer({ label: source.label, fields, column }, log, publisher, pool, receivers, now);
  const failed = Promise.race([pool.failed, receivers.failed]);
  // It is heard of where it is waited for.
  failed.catch(() => {});

  return {
    log,
    pool,
    pacer,
    label: source.label,
    fields,
    column,
    now,
    view,
    failed,
    get written() {
      return publisher.written;
    },
    async ready() {
      await Promise.all([pool.ready(), receivers.ready()]);
      // Time begins.
      view();
    },
    async collect() {
      await Promise.all([pool.collect(), receivers.collect()]);
    },
    /** Ends the log, waits until all is read, and says whether all is right. */
    async finish() {
      writer.end();
      receivers.endMessages();
      await Promise.all([pool.drain(), receivers.drain()]);
      const verdict = judge(publisher.written, publisher.checksum, pool.alive, receivers.alive);
      const { length } = source.leftOut;
      if (length > 0)
        verdict.message += `; ${length} ${length === 1 ? 'column was' : 'columns were'} left out`;
      return verdict;
    },
    async close() {
      await Promise.all([pool.terminate(), receivers.terminate()]);
      writer.close();
      log.close();
    },
  };
}

/**
 * @param {DemoOptions} options
 * @param {Source} source
 * @returns {number}
 */
function columnToShow({ column }, { fields }) {
  if (column === undefined) return 0;
  const index = fields.indexOf(column);
  if (index >= 0) return index;
  throw new UsageError(`there is no numeric column '${column}'; there are ${fields.join(', ')}`);
}

/**
 * A function that says how things are, and how fast the writer was since it was called last.
 *
 * @param {Pick<View, 'label' | 'fields' | 'column'>} fixed
 * @param {import('atomic-log').AtomicLog<Record<string, number>>} log
 * @param {Publisher} publisher
 * @param {ReaderPool} pool
 * @param {ReaderPool} receivers
 * @param {() => number} now
 * @returns {() => View}
 */
function viewer(fixed, log, publisher, pool, receivers, now) {
  let start = NaN;
  let last = { time: NaN, written: 0 };
  return () => {
    const time = now();
    if (Number.isNaN(start)) last.time = start = time;
    const { written, costNs } = publisher;
    const perSecond = ((written - last.written) * 1e9) / (time - last.time);
    last = { time, written };
    return {
      ...fixed,
      seconds: (time - start) / 1e9,
      written,
      perSecond,
      stats: log.stats(),
      window: log.endIndex - log.firstIndex,
      log,
      readers: pool.alive,
      receivers: receivers.alive,
      costNs,
    };
  };
}
