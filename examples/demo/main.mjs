// @ts-check
import { AtomicLog } from 'atomic-log';
import { clockSince } from './clock.mjs';
import { openDisplay } from './displays/display.mjs';
import { schemaOf } from './fields.mjs';
import { parseOptions } from './options.mjs';
import { publishPaced } from './pace.mjs';
import { showProgress, viewer } from './progress.mjs';
import { Publisher } from './publisher.mjs';
import { ReaderPool } from './reader-pool.mjs';
import { openSource } from './sources/source.mjs';
import { stopper } from './stopper.mjs';
import { UsageError } from './usage-error.mjs';
import { judge } from './verdict.mjs';

/**
 * @typedef {import('./options.mjs').DemoOptions} DemoOptions
 * @typedef {import('./sources/source.mjs').Source} Source
 */

const SEGMENTS = 16;

try {
  process.exitCode = await main(parseOptions(process.argv));
} catch (error) {
  if (error instanceof UsageError) console.error(`error: ${error.message}`);
  else console.error(error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

/**
 * @param {DemoOptions} options
 * @returns {Promise<number>} The exit status.
 */
async function main(options) {
  const source = openSource(options);
  // Not among the output: that may be read by a program.
  for (const reason of source.leftOut) console.error(`left out: ${reason}`);
  try {
    return await run(options, source, columnToShow(options, source));
  } finally {
    source.close();
  }
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
 * @param {DemoOptions} options
 * @param {Source} source
 * @param {number} column
 * @returns {Promise<number>}
 */
async function run(options, source, column) {
  const { writer, log } = AtomicLog.claimed({
    name: 'demo',
    schema: schemaOf(source.fields),
    retainedCapacity: options.window,
    segmentCapacity: Math.ceil(options.window / SEGMENTS),
  });
  const origin = process.hrtime.bigint();
  const now = clockSince(origin);
  const publisher = new Publisher(writer, source, now);
  const pool = new ReaderPool(options.readers, {
    handle: log.handle,
    fields: source.fields,
    origin,
    poll: options.poll,
  });
  const display = openDisplay(options.json === true);
  const stopping = stopper(pool);
  try {
    await pool.ready();
    const view = viewer({ label: source.label, fields: source.fields, column }, log, publisher, pool, now);
    stopping.stopAfter(options.seconds);
    const shown = showProgress(display, view, pool, stopping.signal);
    // What went wrong with the display is thrown where its end is waited for.
    shown.catch(stopping.stop);
    await publishPaced(publisher, options.rate ?? source.rate, stopping.signal);
    const { seconds } = view();
    stopping.stop();
    writer.end();
    await shown;
    await pool.drain();

    const verdict = judge(publisher.written, publisher.checksum, pool.reports);
    const { length } = source.leftOut;
    if (length > 0) verdict.message += `; ${length} ${length === 1 ? 'column was' : 'columns were'} left out`;
    display.finish({ ...view(), seconds, perSecond: publisher.written / seconds }, verdict);
    return verdict.passed ? 0 : 1;
  } finally {
    stopping.stop();
    display.close();
    await pool.terminate();
    writer.close();
    log.close();
  }
}
