// @ts-check
import logUpdate from 'log-update';
import { compact, duration, mebibytes, shorten, value3, withCommas } from '../format.mjs';
import { windowMeans } from '../series.mjs';
import { area, bar, history } from './plot.mjs';
import { rowsOf } from './rows.mjs';

/**
 * @typedef {import('./display.mjs').Display} Display
 * @typedef {import('./display.mjs').View} View
 * @typedef {{ columns: number, rows: number }} Size
 */

const SIZE_MIN = { columns: 60, rows: 12 };
const COLUMNS_MAX = 120;
const NAME = 13;
const CELL = 9;
/** What is left of a line is the history of the latency. */
const HISTORY_MIN = 8;
const VERDICT_ROWS = 2;
const SHOW_CURSOR = '\u001b[?25h';

const paint = (/** @type {string} */ code) => (/** @type {string} */ text) =>
  process.stdout.hasColors?.() ? `\u001b[${code}m${text}\u001b[0m` : text;
const [bold, dim, yellow, cyan] = ['1', '90', '33', '36'].map(paint);

/**
 * A picture that stays where it is and is redrawn.
 *
 * @returns {Display}
 */
export function showTable() {
  // log-update hides the cursor while it draws. However the process ends, the cursor must come back.
  let isOpen = true;
  process.once('exit', () => process.stdout.write(isOpen ? `${SHOW_CURSOR}\n` : SHOW_CURSOR));
  const latencies = new Latencies();
  const draw = (/** @type {View} */ view, /** @type {string} */ note, rowsBelow = 0) => {
    const { columns = 80, rows = 24 } = process.stdout;
    logUpdate(render(view, note, latencies, { columns, rows: rows - rowsBelow }));
  };

  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    logUpdate.done();
  };
  return {
    periodMs: 500,
    update(view) {
      latencies.add(view);
      draw(view, 'Ctrl-C ends.');
    },
    finish(view, verdict) {
      draw(view, 'Rates and latencies are of the whole run.', VERDICT_ROWS);
      close();
      if (verdict.passed) console.log(verdict.message);
      else console.error(verdict.message);
    },
    close,
  };
}

/** The 99th percentiles of each reader, at each update. */
export class Latencies {
  min = Infinity;
  max = 0;
  /** @type {Map<string, (number | null)[]>} */
  #byName = new Map();

  /** @param {View} view */
  add(view) {
    for (const { name, latency } of allRows(view)) {
      const p99 = latency.p99;
      if (p99 !== null) [this.min, this.max] = [Math.min(this.min, p99), Math.max(this.max, p99)];
      this.of(name).push(p99);
    }
  }

  /** @param {string} name */
  of(name) {
    let values = this.#byName.get(name);
    if (values === undefined) this.#byName.set(name, (values = []));
    if (values.length > COLUMNS_MAX) values.splice(0, COLUMNS_MAX / 2);
    return values;
  }
}

/** @param {View} view */
function allRows(view) {
  const { readers, messages } = rowsOf(view);
  return messages === undefined ? readers : [...readers, messages];
}

/**
 * @param {View} view
 * @param {string} note
 * @param {Latencies} latencies
 * @param {Size} terminal
 * @returns {string}
 */
export function render(view, note, latencies, terminal) {
  const columns = Math.max(SIZE_MIN.columns, Math.min(terminal.columns, COLUMNS_MAX));
  // The last line stays free for the cursor.
  const rows = Math.max(SIZE_MIN.rows, terminal.rows) - 1;
  const top = [...heading(view, columns), '', ...table(view, latencies, columns, rows)];
  const costs = rows - top.length > 6 ? ['', ...costBars(view, columns)] : [];
  const left = rows - top.length - costs.length - 3;
  const chart = left >= 2 ? ['', ...windowChart(view, columns, left)] : [];
  return [...top, ...costs, ...chart, dim(note)].join('\n');
}

/**
 * @param {View} view
 * @param {number} columns
 */
function heading({ label, fields, seconds, written, perSecond, window, stats }, columns) {
  const time = `${seconds.toFixed(1)} s`;
  const title = shorten(
    `${label}, ${fields.length} column${fields.length === 1 ? '' : 's'}`,
    columns - time.length - 1,
  );
  const figures = `${withCommas(written)} records, ${compact(perSecond)}/s   ${withCommas(window)} in memory   ${mebibytes(stats.bytes)}`;
  const pinned = `, ${mebibytes(stats.pinnedBytes)} pinned`;
  return [
    bold(title) + time.padStart(columns - title.length),
    shorten(figures.length + pinned.length <= columns ? figures + pinned : figures, columns),
  ];
}

/**
 * @param {View} view
 * @param {Latencies} latencies
 * @param {number} columns
 * @param {number} rowsMax
 */
function table(view, latencies, columns, rowsMax) {
  const width = columns - NAME - 5 * CELL - 2;
  const line = (/** @type {string} */ name, /** @type {string[]} */ cells, /** @type {string} */ past) =>
    shorten(name, NAME).padEnd(NAME) +
    cells.map((cell) => cell.padStart(CELL)).join('') +
    (width >= HISTORY_MIN ? `  ${past}` : '');
  const lines = allRows(view).map(({ name, perSecond, latency, lag, lost }) => {
    const cells = [
      compact(perSecond),
      duration(latency.p50),
      duration(latency.p99),
      compact(lag),
      compact(lost),
    ];
    const text = line(
      name,
      cells,
      history(latencies.of(name), latencies.min, latencies.max, Math.max(0, width)),
    );
    return name === 'postMessage' ? yellow(text) : text;
  });
  const room = rowsMax - 8;
  // The row of the messages is the last one.
  const shown =
    lines.length <= room
      ? lines
      : [...lines.slice(0, room - 2), dim(`… ${lines.length - room + 1} more`), ...lines.slice(-1)];
  return [
    bold(line('', ['records/s', 'p50', 'p99', 'lag', 'lost'], 'p99 so far'.slice(0, Math.max(0, width)))),
    ...shown,
  ];
}

/**
 * @param {View} view
 * @param {number} columns
 */
function costBars({ costNs, readers, receivers }, columns) {
  const { log, messages } = costNs;
  const count = Math.max(readers.length, receivers.length);
  const title = bold(`A record costs its sender, with ${count} reader${count === 1 ? '' : 's'}`);
  const ratio = log !== null && messages !== null ? `${value3(messages / log)} ×` : '';
  const width = columns - NAME - 10 - 9;
  const most = Math.max(log ?? 0, messages ?? 0);
  const line = (/** @type {string} */ name, /** @type {number | null} */ ns, /** @type {string} */ end) =>
    `${name.padEnd(NAME)}${bar((ns ?? 0) / most || 0, width)} ${duration(ns).padStart(9)}${end.padStart(9)}`;
  return [
    title,
    cyan(line('atomic-log', log, '')),
    receivers.length === 0 ? dim('postMessage is left out') : yellow(line('postMessage', messages, ratio)),
  ];
}

/**
 * @param {View} view
 * @param {number} columns
 * @param {number} height Of the chart, without its title.
 */
function windowChart({ log, fields, column, readers, window }, columns, height) {
  const field = fields[column];
  const statistics = readers.find(({ report }) => report !== undefined)?.report?.statistics[field];
  const figures =
    statistics === undefined ? '' : `: ${value3(statistics.mean)} ± ${value3(statistics.stddev)}`;
  const title = bold(`${shorten(field, 20)}${figures}, the last ${withCommas(window)} records`);
  const { lines, min, max } = area(windowMeans(log, field, columns - 8), height);
  const labels = new Map([
    [0, value3(max)],
    [height - 1, value3(min)],
  ]);
  return [title, ...lines.map((text, row) => dim((labels.get(row) ?? '').padStart(7)) + ' ' + cyan(text))];
}
