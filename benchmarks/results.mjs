// The tables of the benchmarks: on the terminal, and as benchmarks/RESULTS.md.
import Table from 'cli-table3';

export const UNITS = [
  'E = an empty Node-API call',
  'A = Atomics.load',
  'M = TypedArray.prototype.set of the same bytes over a working set of the same size, where the source and the target lie in a page as suits it best (of 121 pairs of offsets)',
  'F = pwrite and fdatasync of one record in a file that is there',
]
  .join('; ')
  .concat('.');

function round(value) {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Math.abs(value) < 0.1 ? value.toFixed(3) : value.toPrecision(3);
}

function nanoseconds(ns) {
  return ns < 1000 ? `${ns < 10 ? ns.toFixed(2) : ns.toFixed(0)} ns` : `${(ns / 1000).toFixed(1)} us`;
}

function perSecond(rate) {
  return rate >= 1e6 ? `${(rate / 1e6).toPrecision(3)} M` : `${(rate / 1e3).toPrecision(3)} k`;
}

/** Whether a row reached its target. */
export function verdict({ ratio, target }) {
  if (target === null) return 'reported';
  if (ratio <= target) return 'met';
  const percent = (ratio / target - 1) * 100;
  return `missed by ${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

const ownColumns = [
  ['operation', (row) => row.operation + (row.note === undefined ? '' : ` (${row.note})`), 50],
  ['time', (row) => (row.ns === undefined ? '' : nanoseconds(row.ns)), 10],
  ['ratio', (row) => `${round(row.ratio)} ${row.unit}`, 22],
  ['quartiles', (row) => `${round(row.low)} - ${round(row.high)}`, 16],
  ['target', (row) => (row.target === null ? '' : `<= ${row.target}`), 10],
  ['verdict', verdict, 16],
];

const isMissed = (row) => row.table === undefined && row.target !== null && row.ratio > row.target;

/** Why a row is missed. What it says counts only then; a target between the quartiles is met as often as missed. */
function reasonOf({ reason, target, low, high }) {
  if (reason !== undefined) return reason;
  return low <= target
    ? `the target lies between the quartiles, ${round(low)} and ${round(high)}`
    : 'not measured yet';
}

const missedColumns = [
  ['row', (row) => row.operation, 50],
  ['', verdict, 16],
  ['why', reasonOf, 90],
];

const peerColumns = [
  ['entries', (row) => row.entries, 15],
  ['readers', (row) => String(row.readers), 9],
  ['way', (row) => row.way, 46],
  ["writer's CPU per entry", (row) => nanoseconds(row.ns), 12],
  ['quartiles', (row) => `${nanoseconds(row.low)} - ${nanoseconds(row.high)}`, 21],
  ['ratio', (row) => round(row.ratio), 9],
  ['delivered per second, to each', (row) => perSecond(row.perSecond), 14],
];

function terminalTable(columns, rows) {
  const table = new Table({
    head: columns.map(([title]) => title),
    colWidths: columns.map(([, , width]) => width),
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push(columns.map(([, cell]) => cell(row)));
  return table.toString();
}

function markdownTable(columns, rows) {
  return [
    `| ${columns.map(([title]) => title).join(' | ')} |`,
    `|${' --- |'.repeat(columns.length)}`,
    ...rows.map((row) => `| ${columns.map(([, cell]) => cell(row)).join(' | ')} |`),
  ].join('\n');
}

/** How the run went: `disturbed` are the questions with other work just before or after them. */
function runText(disturbed, seconds) {
  const duration = `The run took ${seconds < 100 ? `${seconds.toFixed(0)} seconds` : `${(seconds / 60).toFixed(1)} minutes`}.`;
  if (disturbed === undefined) return `${duration} One round each is no measurement: nothing was judged.`;
  return disturbed.length === 0
    ? `${duration} No other work was seen on the machine before or after any question.`
    : `${duration} Other work ran before or after these questions, whose small differences mean little: ${disturbed.join(', ')}.`;
}

/** The rows of each folder, as two tables. */
function topicsOf(rows) {
  return [...new Set(rows.map(({ topic }) => topic))].map((topic) => {
    const ofTopic = rows.filter((row) => row.topic === topic);
    return {
      topic,
      own: ofTopic.filter(({ table }) => table === undefined),
      peers: ofTopic.filter(({ table }) => table === 'peers'),
    };
  });
}

export function terminalReport(rows, disturbed, seconds, conditions) {
  const parts = [];
  for (const { topic, own, peers } of topicsOf(rows)) {
    parts.push(topic);
    if (own.length > 0) parts.push(terminalTable(ownColumns, own), UNITS);
    if (peers.length > 0) {
      parts.push(terminalTable(peerColumns, peers), 'ratio: to the polled log in the same round.');
    }
  }
  const missed = rows.filter(isMissed);
  if (missed.length > 0) parts.push('missed', terminalTable(missedColumns, missed));
  parts.push(...conditions.map(([name, value]) => `${name}: ${value}`), runText(disturbed, seconds));
  return parts.join('\n');
}

const PEERS_TEXT = `### Beside the peers

One writer sends numbers to several readers, which add them up. The writer writes in bursts, and waits until every
reader has everything before the next; the log and the ring hold a whole burst, so no way waits, queues for ever or
loses entries. Processor time is that of the writer's thread; the ratio is to the polled log in the same round.
Readers that poll sleep for a millisecond when there is nothing new. \`ringbuf.js\` has one consumer by design.
\`MessagePort\` posts once per reader; batches are typed arrays, cloned or transferred.
`;

function markdownTopic({ topic, own, peers }) {
  return [
    `## ${topic[0].toUpperCase()}${topic.slice(1)}\n`,
    ...(own.length > 0 ? [`${markdownTable(ownColumns, own)}\n`] : []),
    ...(peers.length > 0 ? [PEERS_TEXT, `${markdownTable(peerColumns, peers)}\n`] : []),
  ].join('\n');
}

/** What missed its target, with the measurement that shows where the time goes. */
function markdownMissed(rows) {
  const missed = rows.filter(isMissed);
  if (missed.length === 0) return '';
  return `\n## Missed rows and why\n\n${markdownTable(missedColumns, missed)}\n`;
}

export function markdownReport(rows, disturbed, seconds, conditions) {
  return `# Results

Made by \`npm run bench -- --write\`; do not edit.

${conditions.map(([name, value]) => `- ${name}: ${value}`).join('\n')}

${runText(disturbed, seconds)}

How to read it: what counts is the **ratio**, taken between candidates that take turns within one run; it is the median
over the rounds, and half of the rounds lie between the **quartiles**. Times depend on the machine. A row without a
target is only reported.
${UNITS}

${topicsOf(rows).map(markdownTopic).join('\n')}${markdownMissed(rows)}`;
}
