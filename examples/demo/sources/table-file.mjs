// @ts-check
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
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

/**
 * @param {string} path
 * @returns {RawColumn[]}
 */
export function readColumns(path) {
  const parseText = { '.csv': parseCsv, '.json': parseJson }[extname(path).toLowerCase()];
  if (parseText === undefined) throw new UsageError(`${path}: the file must be a .csv or a .json`);
  try {
    return parseText(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`${path}: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * @param {string} text
 * @returns {RawColumn[]}
 */
function parseCsv(text) {
  /** @type {string[][]} */
  const [headers = [], ...rows] = parse(text, {
    bom: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count_less: true,
  });
  return headers.map((header, i) => ({ header, values: rows.map((row) => csvValue(row[i] ?? '')) }));
}

/**
 * @param {string} text
 * @returns {unknown}
 */
function csvValue(text) {
  if (MISSING.has(text.toLowerCase())) return undefined;
  return DECIMAL.test(text) ? Number(text) : text;
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
    values: rows.map((row) => (Object.hasOwn(row, header) ? (row[header] ?? undefined) : undefined)),
  }));
}

/**
 * @param {unknown} value
 * @returns {boolean}
 */
function isRow(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
