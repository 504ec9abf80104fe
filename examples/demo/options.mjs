// @ts-check
import { Command, InvalidArgumentError, Option } from 'commander';

/**
 * @typedef {object} DemoOptions
 * @property {string} [file] Table to replay.
 * @property {boolean} [sample] Replay the sample data set.
 * @property {boolean} [loop] Begin again at the end of the table.
 * @property {number} [rate] Records per second, Infinity for as many as possible; the source's own when missing.
 * @property {number} [seconds] End after so long; of a write-ahead log, kill its writer.
 * @property {number} readers
 * @property {boolean} poll
 * @property {number} window
 * @property {string} [column] The column whose rolling statistics are shown.
 * @property {boolean} messages Send the same records by `postMessage`, too.
 * @property {boolean} [json]
 * @property {boolean} [web]
 * @property {number} port
 * @property {boolean} [wal]
 * @property {number} kills
 * @property {boolean} [processes]
 */

const EXAMPLES = `
Examples:
  $ npm run demo                                        samples this machine and process
  $ npm run demo -- --web                               the same in a browser, with readers to stall and kill
  $ npm run demo -- --wal                               kills the writer of a write-ahead log, and recovers it
  $ npm run demo -- --processes                         readers are processes, and any of them may be killed
  $ npm run demo -- --sample                            200,000 flights in ten seconds
  $ npm run demo -- --sample --loop --rate max          the same as fast as it can: slow readers lose some
  $ npm run demo -- --file prices.csv --rate 100 --loop
  $ npm run demo -- --seconds 10 --json > run.ndjson

Exit status: 0 when every reader verified what it read, 1 when a check failed, 2 for wrong options or input.`;

/**
 * Reads the command line. Ends the process for `--help` and for options that make no sense.
 *
 * @param {readonly string[]} argv
 * @returns {DemoOptions}
 */
export function parseOptions(argv) {
  const program = new Command('npm run demo --')
    .description(
      'One thread publishes records to a rolling log; worker threads read the same memory and check what they read.',
    )
    .option(
      '-f, --file <path>',
      'replay the numeric columns of a .csv, .tsv or .txt file (the separator is found out), or of a .json file with an array of rows; also as .gz',
    )
    .addOption(new Option('--sample', 'replay the data set of flights that comes with it').conflicts('file'))
    .option('--loop', 'begin again at the end of the table')
    .option(
      '--rate <n>',
      'records per second, or max (default: 10,000 for this machine, 20,000 for a table)',
      rate,
    )
    .option('--seconds <s>', 'end after this time; with --wal, kill after this time', seconds)
    .option('--readers <n>', 'worker threads that read', integer(1, 64), 3)
    .option('--poll', 'readers look for new records again and again, instead of being woken', false)
    .option('--window <n>', 'records that stay readable, at least', integer(16, 2 ** 24), 65_536)
    .option('--column <name>', 'the column whose rolling statistics are shown (default: the first)')
    .option('--no-messages', 'do not send the same records by postMessage, to as many threads, to compare')
    .addOption(new Option('--json', 'print one JSON object per second, and a summary').conflicts('web'))
    .addOption(new Option('--web', 'show it in a browser on this machine').conflicts('wal'))
    .option('--port <n>', 'of --web (default: one that is free)', integer(0, 65_535), 0)
    .addOption(
      new Option(
        '--wal',
        'the log on disk instead: the writer is killed, and what it had acknowledged is looked for',
      ).conflicts(['file', 'sample', 'readers', 'poll', 'window', 'column', 'json']),
    )
    .option('--kills <n>', 'of --wal', integer(1, 1000), 3)
    .addOption(
      new Option(
        '--processes',
        'a writer, a standby and readers that are processes: keys kill them, or with --seconds it does so by itself',
      ).conflicts(['file', 'sample', 'loop', 'poll', 'column', 'json', 'web', 'wal']),
    )
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments(false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  /** @type {DemoOptions} */
  const options = program.parse(argv).opts();
  // A page is there to be looked at.
  if (options.web && (options.file || options.sample)) options.loop = true;
  // Nothing bounds what waits in the queues of threads that are slower.
  if (options.rate === Infinity) options.messages = false;
  if (options.loop && !options.file && !options.sample) {
    program.error("error: option '--loop' needs a table: add --file or --sample");
  }
  return options;
}

/**
 * @param {string} text
 * @returns {number}
 */
function positive(text) {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a positive number.');
  return value;
}

/**
 * @param {string} text
 * @returns {number}
 */
function rate(text) {
  return text === 'max' ? Infinity : positive(text);
}

/**
 * @param {string} text
 * @returns {number}
 */
function seconds(text) {
  const value = positive(text);
  // A timer cannot wait longer than 2^31 ms.
  if (value > 2_000_000) throw new InvalidArgumentError('It must be at most 2000000.');
  return value;
}

/**
 * @param {number} min
 * @param {number} max
 * @returns {(text: string) => number}
 */
function integer(min, max) {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`);
  };
}
