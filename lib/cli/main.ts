#!/usr/bin/env node
/**
 * The command `atomic-log`: looks at logs of every kind that has files, and builds
 * the addon. A command loads only what it needs: the addon and some packages take long.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Command, InvalidArgumentError, Option } from 'commander';

import type { SegmentOptions } from '../durable/segment/options';
import {
  complain,
  exitOnOutputError,
  FAILED,
  FORMATS,
  formatItem,
  print,
  printAll,
  printLines,
  type Format,
  textOfItem,
} from './output';
import type { Item, Source } from './sources';
import type { Survives } from './torture-writer';
import { painter } from './words';

interface Options {
  startOffset?: number;
  headerSize?: number;
  checksum?: 'crc32c' | 'crc32';
  json?: boolean;
  format: Format;
  from?: number;
  to?: number;
  lines: number;
  follow?: boolean;
  wait?: boolean;
  apply?: boolean;
  dropIntact?: boolean;
  grep?: RegExp;
  ignoreCase?: boolean;
}

interface TortureFlags {
  seconds: number;
  kills?: number;
  seed?: number;
  keep?: boolean;
  json?: boolean;
}

/** The exit status when the log is damaged. */
const DAMAGED = 1;

async function openSource(path: string, options: SegmentOptions): Promise<Source> {
  return (await import('./sources.js')).openSource(path, options);
}

/** What `tail` reads; with --wait once it is there. */
async function openFollowable(path: string, options: Options): Promise<Source> {
  if (options.wait || options.follow) await endWithReader();
  if (!options.wait) return openSource(path, segmentOptions(options));
  return (await import('./sources.js')).waitForSource(path, segmentOptions(options));
}

/** On standard error: standard output is for the entries. */
async function complainOfUnproved({ unproved }: Source): Promise<void> {
  if (unproved !== undefined) complain((await import('./sources.js')).describeUnproved(unproved));
}

/** Ends the process when no one reads what it writes, though nothing is written. */
async function endWithReader(): Promise<void> {
  (await import('./sources.js')).endWithReader();
}

function integer(value: string): number {
  const number = Number(value);
  // Number() alone takes nothing for 0, and other notations.
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('It must be an integer from 0 on, in decimal digits.');
  return number;
}

function positive(value: string): number {
  const number = integer(value);
  if (number === 0) throw new InvalidArgumentError('It must be 1 or more.');
  return number;
}

/** The pattern of --grep, which is one of JavaScript. */
function pattern(value: string): RegExp {
  try {
    return new RegExp(value, 'u');
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

function segmentOptions({ startOffset, headerSize, checksum }: Omit<Options, 'from' | 'to'>): SegmentOptions {
  return {
    ...(startOffset === undefined ? {} : { startOffset }),
    ...(headerSize === undefined ? {} : { headerSize }),
    ...(checksum === undefined ? {} : { checksum }),
  };
}

/** Not the library's own constant, which is in a file that takes a while to load. */
function versionOfPackage(): string {
  const text = readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

const program = new Command('atomic-log')
  .description(
    'Looks at segment files, directories of write-ahead logs and files of shared logs, and builds the addon.',
  )
  .version(versionOfPackage())
  .showHelpAfterError('(--help lists what there is)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : FAILED));

function command(name: string, description: string): Command {
  return program
    .command(name)
    .argument(
      '<path>',
      'a directory of a write-ahead log, a segment file, or the file of a log that processes share',
    )
    .description(description)
    .addOption(
      new Option('--start-offset <bytes>', 'of a segment file: where records begin').argParser(integer),
    )
    .addOption(
      new Option('--header-size <bytes>', 'of a segment file: the header of each record').argParser(integer),
    )
    .addOption(new Option('--checksum <kind>', 'of a segment file').choices(['crc32c', 'crc32']));
}

command('inspect', 'say what it is, who has it open, and what files it has')
  .option('--json', 'as JSON')
  .action(async (path: string, options: Options) => {
    const source = await openSource(path, segmentOptions(options));
    const summary = source.summary();
    source.close();
    if (options.json) {
      await print(`${JSON.stringify(summary, undefined, 2)}\n`);
      return;
    }
    const { describeSummary } = await import('./inspect.js');
    await print(`${await describeSummary(summary, painter(process.stdout))}\n`);
  });

command('watch', 'the same again and again, with what is new per second')
  .option('--json', 'an object in each line')
  .option('-i, --interval <ms>', 'how often', positive, 1000)
  .option('-n, --looks <count>', 'how many times (default: until it is ended)', positive)
  .action(async (path: string, options: Options & { interval: number; looks?: number }) => {
    const { watch } = await import('./watch.js');
    await endWithReader();
    await watch(() => openSource(path, segmentOptions(options)), {
      intervalMs: options.interval,
      looks: options.looks ?? Infinity,
      isJson: options.json === true,
      // One without a size would show nothing.
      isTerminal: process.stdout.isTTY && process.stdout.rows > 0,
      paint: painter(process.stdout),
    });
  });

command('verify', 'read everything; the exit status is 1 when something is damaged')
  .option('--json', 'as JSON')
  .action(async (path: string, options: Options) => {
    const { describeVerdict, verify } = await import('./verify.js');
    const verdict = verify(path, segmentOptions(options), process.stderr.isTTY);
    process.exitCode = verdict.isSound ? 0 : DAMAGED;
    if (options.json) {
      await print(`${JSON.stringify(verdict)}\n`);
      return;
    }
    await printLines(describeVerdict(verdict, painter(process.stdout)));
    if (!verdict.isSound) await printLines(['"atomic-log repair" says what can be done']);
  });

function itemCommand(name: string, description: string): Command {
  return command(name, description)
    .addOption(new Option('--format <format>', 'how entries are printed').choices(FORMATS).default('text'))
    .addOption(new Option('--json', 'as --format json: an object in each line').conflicts('format'))
    .option(
      '--grep <pattern>',
      'only those that match: a regular expression, of what --format text shows',
      pattern,
    )
    .option('--ignore-case', 'of letters that the pattern has');
}

const formatOf = ({ json, format }: Options): Format => (json ? 'json' : format);

/** Whether an item is asked for. */
function filterOf({ grep, ignoreCase }: Options): (item: Item) => boolean {
  if (grep === undefined) return () => true;
  const regexp = ignoreCase ? new RegExp(grep.source, 'iu') : grep;
  return (item) => regexp.test(textOfItem(item));
}

function* formatItems(items: Iterable<Item>, options: Options): Iterable<string | Uint8Array> {
  const isAskedFor = filterOf(options);
  for (const item of items) if (isAskedFor(item)) yield formatItem(item, formatOf(options));
}

itemCommand('dump', 'print all entries')
  .option('--from <number>', 'the first LSN or index, or the offset of a record', integer)
  .option('--to <number>', 'the last one', integer)
  .action(async (path: string, options: Options) => {
    const source = await openSource(path, segmentOptions(options));
    let isEmpty = true;
    const noticed = function* (): Iterable<Item> {
      for (const item of source.items(options)) {
        isEmpty = false;
        yield item;
      }
    };
    await printAll(formatItems(noticed(), options));
    await complainOfUnproved(source);
    if (isEmpty && (options.from ?? options.to) !== undefined) {
      complain(`nothing is within these bounds; ${source.extent}`);
    }
    source.close();
  });

itemCommand('tail', 'print the last entries')
  .option('-n, --lines <count>', 'how many', integer, 10)
  .option('-f, --follow', 'go on with what comes')
  .option(
    '--wait',
    'of a log that processes share: wait for it where there is none; with -f, go on with the log that takes its place',
  )
  .action(async (path: string, options: Options) => {
    const source = await openFollowable(path, options);
    const last = options.lines === 0 ? [] : source.last(options.lines);
    await complainOfUnproved(source);
    await printAll(formatItems(last, options));
    if (options.follow) {
      const position =
        last.at(-1)?.position ?? (source.kind === 'segment' ? source.last(1)[0]?.position : source.end);
      const isAskedFor = filterOf(options);
      for await (const item of source.follow(position)) {
        if (isAskedFor(item)) await print(formatItem(item, formatOf(options)));
      }
    }
    source.close();
  });

command('repair', 'say what would make it sound, and with --apply do it; nothing is deleted')
  .option('--apply', 'do it')
  .option('--to <directory>', 'where a new log goes when this one is damaged (default: next to it)')
  .option('--drop-intact', 'of a segment file: quarantine intact records after the damage too')
  .action(async (path: string, { to, ...options }: Omit<Options, 'to'> & { to?: string }) => {
    const { repair } = await import('./repair.js');
    const { isDamaged, lines } = repair(path, {
      segment: segmentOptions(options),
      applies: options.apply === true,
      target: to,
      dropsIntact: options.dropIntact === true,
    });
    process.exitCode = isDamaged ? DAMAGED : 0;
    await printLines(lines);
  });

function walCommand(name: string, description: string): Command {
  return program
    .command(name)
    .argument('<path>', 'a directory of a write-ahead log')
    .description(description);
}

walCommand('backup', 'copy it to a new directory, on disk and read back')
  .argument('<directory>', 'where the copy goes; nothing may be there')
  .action(async (path: string, target: string) => {
    const { backup } = await import('./change.js');
    await printLines(await backup(path, target));
  });

walCommand('checkpoint', 'say which of the oldest entries would go, and with --apply drop them')
  .argument('<lsn>', 'the last entry to drop', integer)
  .option('--apply', 'do it')
  .option('--force', 'pass cursors: what they have not consumed goes too')
  .action(async (path: string, lsn: number, { apply, force }: { apply?: boolean; force?: boolean }) => {
    const { checkpoint } = await import('./change.js');
    await printLines(await checkpoint(path, lsn, { applies: apply === true, force: force === true }));
  });

program
  .command('torture')
  .argument('<directory>', 'one that is empty, or not there yet')
  .description(
    'kill processes that append to a log there, and compare what is left with what was acknowledged',
  )
  .option('-s, --seconds <count>', 'how long', positive, 60)
  .option('-n, --kills <count>', 'how many at most', positive)
  .option('--seed <number>', 'what decides when kills come (default: at random)', integer)
  .option('--keep', 'leave the log there')
  .option('--json', 'as JSON')
  .action(async (path: string, options: TortureFlags) => {
    const { describeTorture, torture } = await import('./torture.js');
    let isInterrupted = false;
    // The first one ends it as the time does, with the report.
    process.once('SIGINT', () => (isInterrupted = true));
    const report = await torture(
      path,
      {
        seconds: options.seconds,
        kills: options.kills ?? Infinity,
        seed: options.seed ?? Date.now() % 1_000_000,
        keeps: options.keep === true,
      },
      () => isInterrupted,
    );
    process.exitCode = report.isSound ? 0 : DAMAGED;
    if (options.json) await print(`${JSON.stringify(report, undefined, 2)}\n`);
    else await printLines(describeTorture(report, painter(process.stdout)));
  });

program
  .command('torture-writer', { hidden: true })
  .argument('<path>')
  .argument('<seed>', '', integer)
  .argument('[survives]', '', 'kill')
  .action(async (path: string, seed: number, survives: Survives) => {
    const { writeUntilKilled } = await import('./torture-writer.js');
    await writeUntilKilled(path, seed, survives);
  });

program
  .command('build')
  .argument('[arguments...]', 'for node-gyp')
  .allowUnknownOption()
  .description('build the addon from source, where the package brings no binary')
  .action(async (args: string[]) => {
    const { build } = await import('./build.js');
    process.exitCode = build(args);
  });

exitOnOutputError();
program.parseAsync().catch((error: unknown) => {
  complain(error instanceof Error ? error.message : String(error));
  process.exitCode = FAILED;
});
