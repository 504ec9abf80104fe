// @ts-check
import { openDisplay } from './displays/display.mjs';
import { openLive } from './live.mjs';
import { parseOptions } from './options.mjs';
import { showProgress } from './progress.mjs';
import { openSource } from './sources/source.mjs';
import { stopper } from './stopper.mjs';
import { UsageError } from './usage-error.mjs';

/**
 * @typedef {import('./options.mjs').DemoOptions} DemoOptions
 * @typedef {import('./sources/source.mjs').Source} Source
 */

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
  if (options.wal) return (await import('./wal/kills.mjs')).killWriters(options);
  if (options.processes) return (await import('./processes/kills.mjs')).killProcesses(options);
  const source = openSource(options);
  // Not among the output: that may be read by a program.
  for (const reason of source.leftOut) console.error(`left out: ${reason}`);
  try {
    return await run(options, source);
  } finally {
    source.close();
  }
}

/**
 * @param {DemoOptions} options
 * @param {Source} source
 * @returns {Promise<number>}
 */
async function run(options, source) {
  const live = openLive(options, source);
  const stopping = stopper(live.failed);
  /** @type {import('./displays/display.mjs').Display | undefined} */
  let display;
  try {
    display = options.web
      ? await (await import('./web/server.mjs')).openDashboard(live, options.port)
      : openDisplay(options.json === true);
    await live.ready();
    stopping.stopAfter(options.seconds);
    const shown = showProgress(display, live, stopping.signal);
    // What went wrong with the display is thrown where its end is waited for.
    shown.catch(stopping.stop);
    await live.pacer.run(stopping.signal);
    const { seconds } = live.view();
    stopping.stop();
    await shown;
    const verdict = await live.finish();
    display.finish({ ...live.view(), seconds, perSecond: live.written / seconds }, verdict);
    return verdict.passed ? 0 : 1;
  } finally {
    stopping.stop();
    display?.close();
    await live.close();
  }
}
