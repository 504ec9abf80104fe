// @ts-check
import Table from 'cli-table3';
import logUpdate from 'log-update';
import { compact, duration, mebibytes, shorten, value3, withCommas } from '../format.mjs';

/**
 * @typedef {import('./display.mjs').Display} Display
 * @typedef {import('./display.mjs').View} View
 */

/** With the borders, 79 columns. */
const WIDTHS = [11, 11, 9, 9, 9, 9, 13];
const WIDTH = WIDTHS.reduce((sum, width) => sum + width + 1, 1);
const SHOW_CURSOR = '\u001b[?25h';

/**
 * A table that stays where it is and is redrawn.
 *
 * @returns {Display}
 */
export function showTable() {
  // log-update hides the cursor while it draws. However the process ends, the cursor must come back.
  let isOpen = true;
  process.once('exit', () => process.stdout.write(isOpen ? `${SHOW_CURSOR}\n` : SHOW_CURSOR));

  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    logUpdate.done();
  };
  return {
    periodMs: 500,
    update: (view) => logUpdate(render(view, 'Ctrl-C ends.')),
    finish(view, verdict) {
      logUpdate(render(view, 'Rates: whole run.'));
      close();
      if (verdict.passed) console.log(verdict.message);
      else console.error(verdict.message);
    },
    close,
  };
}

/**
 * @param {View} view
 * @param {string} note
 * @returns {string}
 */
function render(view, note) {
  const { label, fields, stats, window, seconds, written } = view;
  const columns = fields.length === 1 ? '1 column' : `${fields.length} columns`;
  return [
    shorten(`${label}, ${columns}`, WIDTH),
    shorten(
      `${seconds.toFixed(1)} s   ${withCommas(written)} published   window ${withCommas(window)}` +
        `   ${mebibytes(stats.bytes)}, ${mebibytes(stats.pinnedBytes)} pinned`,
      WIDTH,
    ),
    drawTable(view),
    `${shorten(fields[view.column], 20)}: mean ± stddev over the window. ${note}`,
  ].join('\n');
}

/**
 * @param {View} view
 * @returns {string}
 */
function drawTable({ fields, column, perSecond, reports }) {
  const table = new Table({
    head: ['', 'records/s', 'p50', 'p99', 'lag', 'lost', shorten(fields[column], 11)],
    colWidths: WIDTHS,
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: ['bold'], border: ['gray'], compact: true },
  });
  table.push(['writer', compact(perSecond), '', '', '', '', '']);
  reports.forEach((report, i) => table.push([`reader ${i + 1}`, ...readerCells(report, column)]));
  return table.toString();
}

/**
 * @param {import('../reader.mjs').Report | undefined} report
 * @param {number} column
 * @returns {string[]}
 */
function readerCells(report, column) {
  if (report === undefined) return ['-', '-', '-', '-', '-', '-'];
  const { mean, stddev } = report.statistics[column];
  return [
    compact(report.perSecond),
    duration(report.latency.p50),
    duration(report.latency.p99),
    compact(report.lag),
    compact(report.lost),
    `${value3(mean)}±${value3(stddev)}`,
  ];
}
