// @ts-check
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { UsageError } from '../usage-error.mjs';

/**
 * A column as the file has it. A value is a number, undefined when it is missing, or anything else when it is
 * not a number.
 *
 * @typedef {{ header: string, values: unknown[] }} RawColumn
 */

const MISSING = new Set(['', 'na', 'n/a', 'nan', 'null']);
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** Where a comma cannot separate cells, it separates decimals. */
const DECIMAL_COMMA = /^[+-]?\d*,\d+$/;
const SEPARATORS = [',', ';', '\t', '|'];
/** The separator shows in the first rows. */
const SAMPLE_ROWS = 20;

/**
 * @param {string} path
 * @returns {RawColumn[]}
 */
export function readColumns(path) {
  const isCompressed = extname(path).toLowerCase() === '.gz';
  const kind = extname(isCompressed ? path.slice(0, -'.gz'.length) : path).toLowerCase();
  const isJson = kind === '.json';
  if (!isJson && !['.csv', '.tsv', '.txt'].includes(kind)) {
    throw new UsageError(`${path}: the file must be a .csv, .tsv, .txt or .json, or one of them as .gz`);
  }
  try {
    const bytes = readFileSync(path);
    const text = decode(isCompressed ? gunzipSync(bytes) : bytes);
    return isJson ? parseJson(text) : parseCsv(text);
  } catch (error) {
    throw new UsageError(`${path}: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * UTF-8, or what a byte order mark says; without the mark, and no other encoding.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
function decode(bytes) {
  const [first, second] = bytes;
  const encoding = { 0xfffe: 'utf-16le', 0xfeff: 'utf-16be' }[(first << 8) | second] ?? 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`the file is not ${encoding.toUpperCase()} text`);
  }
}

/**
 * @param {string} text
 * @returns {RawColumn[]}
 */
function parseCsv(text) {
  const separator = separatorOf(text);
  const options = { delimiter: separator, trim: true, skip_empty_lines: true, relax_column_count_less: true };
  const rows = /** @type {string[][]} */ (parse(text, options)).map((row) =>
    row.map((cell) => numberOrText(cell, separator)),
  );
  const width = Math.max(0, ...rows.slice(0, 1).map((row) => row.length));
  const headers = isHeader(rows)
    ? /** @type {unknown[]} */ (parse(text, { ...options, to: 1 })[0])
    : undefined;
  const data = headers === undefined ? rows : rows.slice(1);
  return Array.from({ length: width }, (_, i) => ({
    header: headers === undefined ? `column ${i + 1}` : String(headers[i]),
    values: data.map((row) => row[i]),
  }));
}

/**
 * The separator that gives every row of the beginning the same number of cells; of several, the one with the
 * most numbers, then with the most cells. A file of one column has none.
 *
 * @param {string} text
 * @returns {string}
 */
function separatorOf(text) {
  let best = { separator: ',', isEven: false, numbers: -1, width: 1 };
  for (const separator of SEPARATORS) {
    const options = { delimiter: separator, trim: true, skip_empty_lines: true, to: SAMPLE_ROWS };
    let rows;
    try {
      rows = /** @type {string[][]} */ (
        parse(text, { ...options, relax_column_count: true, relax_quotes: true })
      );
    } catch {
      continue;
    }
    const width = rows[0]?.length ?? 0;
    if (width < 2) continue;
    const cells = rows.flat();
    const found = {
      separator,
      isEven: rows.every((row) => row.length === width),
      numbers:
        cells.filter((cell) => typeof numberOrText(cell, separator) === 'number').length / cells.length,
      width,
    };
    const order =
      Number(found.isEven) - Number(best.isEven) || found.numbers - best.numbers || found.width - best.width;
    if (order > 0) best = found;
  }
  return best.separator;
}

/**
 * Whether the first row names the columns: it has no number, or text above numbers. A row that could be both is
 * taken for data, so that none is lost.
 *
 * @param {readonly unknown[][]} rows
 * @returns {boolean}
 */
function isHeader([first = [], ...rest]) {
  if (first.every((cell) => typeof cell !== 'number')) return true;
  return first.some((cell, i) => {
    const below = rest.map((row) => row[i]).filter((value) => value !== undefined);
    return typeof cell === 'string' && below.length > 0 && below.every((value) => typeof value === 'number');
  });
}

/**
 * @param {string} text
 * @param {string} [separator]
 * @returns {unknown} A number, undefined when it is missing, or the text.
 */
function numberOrText(text, separator) {
  const trimmed = text.trim();
  if (MISSING.has(trimmed.toLowerCase())) return undefined;
  if (DECIMAL.test(trimmed)) return Number(trimmed);
  if (separator === ';' && DECIMAL_COMMA.test(trimmed)) return Number(trimmed.replace(',', '.'));
  return text;
}

/**
 * @param {string} text
 * @returns {RawColumn[]}
 */
function parseJson(text) {
  const rows = JSON.parse(text);
  if (!Array.isArray(rows) || !rows.every(isRow)) {
    throw new Error('the file must hold an array of row objects');
  }
  const headers = new Set();
  for (const row of rows) for (const header of Object.keys(row)) headers.add(header);
  // A row that lacks the header must not show what all objects inherit, as for the header "constructor".
  return [...headers].map((header) => ({
    header,
    values: rows.map((row) => (Object.hasOwn(row, header) ? jsonValue(row[header]) : undefined)),
  }));
}

/**
 * @param {unknown} value
 * @returns {unknown}
 */
function jsonValue(value) {
  return typeof value === 'string' ? numberOrText(value) : (value ?? undefined);
}

/**
 * @param {unknown} value
 * @returns {boolean}
 */
function isRow(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
