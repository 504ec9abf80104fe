#!/usr/bin/env node
/**
 * The command `atomic-log`: looks at segment files and write-ahead logs, and builds
 * the addon. What needs the addon is loaded by the commands that do.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Command, InvalidArgumentError, Option } from 'commander';

import type { SegmentOptions } from '../segment-options';
import { build } from './build';
import { FORMATS, formatItem, print, type Format } from './output';
import type { Source } from './sources';

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
}

/** Exit statuses: the log is damaged; the call, or reading it, went wrong. */
const DAMAGED = 1;
const FAILED = 2;

async function openSource(path: string, options: SegmentOptions): Promise<Source> {
  return (await import('./sources.js')).openSource(path, options);
}

function integer(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new InvalidArgumentError('It must be an integer from 0 on.');
  return number;
}

function segmentOptions({ startOffset, headerSize, checksum }: Options): SegmentOptions {
  return {
    ...(startOffset === undefined ? {} : { startOffset }),
    ...(headerSize === undefined ? {} : { headerSize }),
    ...(checksum === undefined ? {} : { checksum }),
  };
}

const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as {
  version: string;
};
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
    const { files, ...facts } = source.summary as { files?: object[] };
    source.close();
    if (options.json) {
      console.log(JSON.stringify(source.summary, undefined, 2));
      return;
    }
    for (const [name, value] of Object.entries(facts)) console.log(`${name}: ${String(value)}`);
    if (files !== undefined) console.table(files);
  });

command('verify', 'read everything; the exit status is 1 when something is damaged')
  .option('--json', 'as JSON')
  .action(async (path: string, options: Options) => {
    const { verify } = await import('./verify.js');
    const verdict = verify(path, segmentOptions(options), process.stderr.isTTY);
    if (options.json) {
      console.log(JSON.stringify(verdict));
    } else {
      console.log(`${verdict.items} entries${verdict.end === '' ? '' : `, then ${verdict.end}`}`);
      for (const error of verdict.errors) console.log(`damaged: ${error}`);
      for (const { from, to } of verdict.lost) console.log(`lost: entries ${from} to ${to}`);
    }
    process.exitCode = verdict.isSound ? 0 : DAMAGED;
  });

const format = () =>
  new Option('--format <format>', 'how entries are printed').choices(FORMATS).default('text');

command('dump', 'print all entries')
  .addOption(format())
  .option('--from <position>', 'the first LSN, or the offset of a record', integer)
  .option('--to <position>', 'the last one', integer)
  .action(async (path: string, options: Options) => {
    const source = await openSource(path, segmentOptions(options));
    for (const item of source.items(options)) if (!(await print(formatItem(item, options.format)))) break;
    source.close();
  });

command('tail', 'print the last entries')
  .addOption(format())
  .option('-n, --lines <count>', 'how many', integer, 10)
  .option('-f, --follow', 'go on with what comes')
  .action(async (path: string, options: Options) => {
    const source = await openSource(path, segmentOptions(options));
    const last = options.lines === 0 ? [] : source.last(options.lines);
    for (const item of last) await print(formatItem(item, options.format));
    if (options.follow) {
      const position =
        last.at(-1)?.position ?? (source.kind === 'wal' ? source.end : source.last(1)[0]?.position);
      for await (const item of source.follow(position))
        if (!(await print(formatItem(item, options.format)))) break;
    }
    source.close();
  });

command('repair', 'say what would make it sound, and with --apply do it; nothing is deleted')
  .option('--apply', 'do it')
  .option('--to <directory>', 'where a new log goes when this one is damaged (default: beside it)')
  .action(async (path: string, options: Omit<Options, 'to'> & { to?: string }) => {
    const { repair } = await import('./repair.js');
    const { isNeeded, isDone, lines } = repair(
      path,
      segmentOptions({ ...options, to: undefined } as never),
      options.apply === true,
      options.to,
    );
    for (const line of lines) console.log(line);
    if (isNeeded && !isDone) console.log('nothing was changed; --apply does it');
    process.exitCode = isNeeded && !isDone ? DAMAGED : 0;
  });

program
  .command('build')
  .argument('[arguments...]', 'for node-gyp')
  .allowUnknownOption()
  .description('build the addon from source, where the package brings no binary')
  .action((args: string[]) => {
    process.exitCode = build(args);
  });

// The reader of a pipe has what it wanted.
process.stdout.on('error', () => undefined);
program.parseAsync().catch((error: unknown) => {
  console.error(`atomic-log: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = FAILED;
});
