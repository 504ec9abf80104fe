#!/usr/bin/env node
/**
 * The command `atomic-log`: looks at segment files and write-ahead logs, and builds
 * the addon. What needs the addon is loaded by the commands that do.
 */
import { Command, InvalidArgumentError, Option } from 'commander';

import type { SegmentOptions } from '../durable/segment/options';
import { build } from './build';
import {
  complain,
  escape,
  exitOnOutputError,
  FAILED,
  FORMATS,
  formatItem,
  formatTable,
  print,
  printAll,
  printLines,
  type Format,
} from './output';
import type { Item, Source } from './sources';
import { setInterval } from '../base/timers';
import { version } from '../base/runtime';

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
  apply?: boolean;
  dropIntact?: boolean;
}

/** The exit status when the log is damaged. */
const DAMAGED = 1;
/** How often `tail -f` looks whether anybody reads on. */
const READER_POLL_MS = 250;

/** What of a summary is shown as a table. */
interface Tables {
  files?: object[];
  cursors?: { error?: { code: string; message: string } }[];
}

/** A message would burst the table. */
const codeOf = (error: { code: string } | undefined): object =>
  error === undefined ? {} : { error: error.code };

async function openSource(path: string, options: SegmentOptions): Promise<Source> {
  return (await import('./sources.js')).openSource(path, options);
}

/** On standard error: standard output is for the entries. */
async function complainOfUnproved({ unproved }: Source): Promise<void> {
  if (unproved !== undefined) complain((await import('./sources.js')).describeUnproved(unproved));
}

/** Ends the process when no one reads what it writes, though nothing is written. */
async function endWithReader(): Promise<void> {
  const { isOutputUnread } = await import('./sources.js');
  setInterval(() => {
    if (isOutputUnread()) process.exit();
  }, READER_POLL_MS).unref();
}

function integer(value: string): number {
  const number = Number(value);
  // Number() alone takes nothing for 0, and other notations.
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('It must be an integer from 0 on, in decimal digits.');
  return number;
}

function segmentOptions({ startOffset, headerSize, checksum }: Omit<Options, 'from' | 'to'>): SegmentOptions {
  return {
    ...(startOffset === undefined ? {} : { startOffset }),
    ...(headerSize === undefined ? {} : { headerSize }),
    ...(checksum === undefined ? {} : { checksum }),
  };
}

const program = new Command('atomic-log')
  .description('Looks at segment files and at directories of write-ahead logs, and builds the addon.')
  .version(version)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : FAILED));

function command(name: string, description: string): Command {
  return program
    .command(name)
    .argument('<path>', 'a directory of a write-ahead log, or a segment file')
    .description(description)
    .addOption(
      new Option('--start-offset <bytes>', 'of a segment file: where records begin').argParser(integer),
    )
    .addOption(
      new Option('--header-size <bytes>', 'of a segment file: the header of each record').argParser(integer),
    )
    .addOption(new Option('--checksum <kind>', 'of a segment file').choices(['crc32c', 'crc32']));
}

command('inspect', 'say what it is, and what files it has')
  .option('--json', 'as JSON')
  .action(async (path: string, options: Options) => {
    const source = await openSource(path, segmentOptions(options));
    const summary = source.summary();
    source.close();
    if (options.json) {
      await print(`${JSON.stringify(summary, undefined, 2)}\n`);
      return;
    }
    const { files, cursors = [], ...facts } = summary as Tables;
    await printLines(Object.entries(facts).map(([name, value]) => `${name}: ${String(value)}`));
    if (files !== undefined) await print(formatTable(files));
    if (cursors.length === 0) return;
    await print(formatTable(cursors.map(({ error, ...cursor }) => ({ ...cursor, ...codeOf(error) }))));
    await printLines(cursors.flatMap(({ error }) => (error === undefined ? [] : [escape(error.message)])));
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
    await printLines(describeVerdict(verdict));
    if (!verdict.isSound) await printLines(['"atomic-log repair" says what can be done']);
  });

function itemCommand(name: string, description: string): Command {
  return command(name, description)
    .addOption(new Option('--format <format>', 'how entries are printed').choices(FORMATS).default('text'))
    .addOption(new Option('--json', 'as --format json: an object in each line').conflicts('format'));
}

const formatOf = ({ json, format }: Options): Format => (json ? 'json' : format);

function* formatItems(items: Iterable<Item>, options: Options): Iterable<string | Uint8Array> {
  for (const item of items) yield formatItem(item, formatOf(options));
}

itemCommand('dump', 'print all entries')
  .option('--from <number>', 'the first LSN, or the offset of a record', integer)
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
  .action(async (path: string, options: Options) => {
    const source = await openSource(path, segmentOptions(options));
    const last = options.lines === 0 ? [] : source.last(options.lines);
    await complainOfUnproved(source);
    await printAll(formatItems(last, options));
    if (options.follow) {
      const position =
        last.at(-1)?.position ?? (source.kind === 'wal' ? source.end : source.last(1)[0]?.position);
      await endWithReader();
      for await (const item of source.follow(position)) await print(formatItem(item, formatOf(options)));
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

program
  .command('build')
  .argument('[arguments...]', 'for node-gyp')
  .allowUnknownOption()
  .description('build the addon from source, where the package brings no binary')
  .action((args: string[]) => {
    process.exitCode = build(args);
  });

exitOnOutputError();
program.parseAsync().catch((error: unknown) => {
  complain(error instanceof Error ? error.message : String(error));
  process.exitCode = FAILED;
});
