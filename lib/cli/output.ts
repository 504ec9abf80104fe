/** What the command line writes, and how it prints items. */
import { fstatSync, writeSync } from 'node:fs';

import type { Item } from './sources';

export type Format = 'text' | 'json' | 'raw';
export const FORMATS: readonly Format[] = ['text', 'json', 'raw'];

/** The exit status when the call, reading or writing went wrong. */
export const FAILED = 2;
const STDOUT = 1;
const STDERR = 2;
const BLOCK_BYTES = 1 << 16;
const LINE_BREAK = Buffer.from('\n');

/**
 * Control characters, those that change the order or the lines of what is shown,
 * and those that nothing is shown for: zero-width characters, tags, selectors.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const unprintableOrBackslash = new RegExp(`\\\\|${unprintable.source}`, 'gu');
const shortEscapes: Record<string, string> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 0)}}`;
}

/** As JSON has them: a code unit each. */
const escapedUnits = (character: string): string =>
  character.replace(/[^]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);

/** JSON, which has escaped most of them already, and leaves some as they are. */
const printableJson = (json: string): string => json.replace(unprintable, escapedUnits);

/** One row whatever the text is, and nothing that a terminal obeys. */
export function escape(text: string): string {
  return text.replace(unprintableOrBackslash, (character) => shortEscapes[character] ?? escaped(character));
}

/** The text that bytes are, if they are one. */
function textOf(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

/** Text, escaped; or `0x` and hex digits, which no text is shown as. */
export function formatBytes(data: Uint8Array): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  const text = textOf(bytes);
  if (text === undefined) return `0x${bytes.toString('hex')}`;
  return escape(text).replace(/^0(?=x)/, '\\x30');
}

/** What `text` shows of an item, and what `--grep` looks at. What JSON has escaped already stays JSON. */
export function textOfItem(item: Item): string {
  return 'value' in item ? printableJson(Buffer.from(item.data).toString()) : formatBytes(item.data);
}

export function formatItem(item: Item, format: Format): string | Uint8Array {
  const { unit, position, data, header } = item;
  // Those that are values are texts here, and need an end.
  if (format === 'raw') return 'value' in item ? Buffer.concat([data, LINE_BREAK]) : data;
  if (format === 'text') return `${position}\t${textOfItem(item)}\n`;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  const text = textOf(bytes);
  const extra =
    header === undefined || header.length === 0 ? {} : { header: Buffer.from(header).toString('base64') };
  const value =
    'value' in item
      ? { value: item.value }
      : text === undefined
        ? { base64: bytes.toString('base64') }
        : { text };
  return `${printableJson(JSON.stringify({ [unit]: position, ...extra, ...value }))}\n`;
}

/** A table with a line under its heads, as wide as what is in it; without a last line break. */
export async function formatTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<string> {
  // Loading it takes as long as all the rest of the command line.
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: [...heads],
    // Its own colours are for terminals only, and no one asks whether this is one.
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** A complaint, at once: the process may end after it. */
export function complain(message: string): void {
  try {
    writeSync(STDERR, `atomic-log: ${message}\n`);
  } catch {
    // No one is left to tell.
  }
}

/** Nothing is written any more once that failed. The reader of a pipe that goes has what it wanted. */
export function exitOnOutputError(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    complain(`the output cannot be written: ${error.message}`);
    process.exit(FAILED);
  });
}

let isFile: boolean | undefined;

/** Waits where the reader of a pipe is slow. */
export async function print(what: string | Uint8Array): Promise<void> {
  isFile ??= fstatSync(STDOUT).isFile();
  if (isFile) {
    printToFile(typeof what === 'string' ? Buffer.from(what) : what);
    return;
  }
  const { stdout } = process;
  if (stdout.write(what)) return;
  // An error ends the process.
  await new Promise<void>((resolve) => stdout.once('drain', resolve));
}

/** All of it: the stream of a file does not notice when a disk that fills up takes a part. */
function printToFile(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(STDOUT, bytes, at);
}

/** In blocks: a write for each piece takes ten times as long. What came before a failure is written. */
export async function printAll(pieces: Iterable<string | Uint8Array>): Promise<void> {
  let block: Uint8Array[] = [];
  let text = '';
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (text !== '') block.push(Buffer.from(text));
    const whole = Buffer.concat(block);
    block = [];
    text = '';
    bytes = 0;
    if (whole.length > 0) await print(whole);
  };
  try {
    for (const piece of pieces) {
      bytes += piece.length;
      if (typeof piece === 'string') {
        text += piece;
      } else {
        block.push(piece);
      }
      if (bytes >= BLOCK_BYTES) await flush();
    }
  } finally {
    await flush();
  }
}

export async function printLines(lines: Iterable<string>): Promise<void> {
  for (const line of lines) await print(`${line}\n`);
}
