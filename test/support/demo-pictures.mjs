// Draws the demo's picture of made-up views, for terminals of several sizes, and prints the pictures as JSON.
import { AtomicLog } from 'atomic-log';
import { Latencies, render } from '../../examples/demo/displays/table.mjs';

const SIZES = [
  { columns: 60, rows: 12 },
  { columns: 60, rows: 20 },
  { columns: 80, rows: 24 },
  { columns: 200, rows: 60 },
];
const { writer, log } = AtomicLog.claimed({
  schema: { x: 'f64' },
  retainedCapacity: 4096,
  segmentCapacity: 256,
});
for (let i = 0; i < 10_000; ++i) writer.append({ x: i % 97 === 0 ? NaN : 1e9 * Math.sin(i / 500) });

// Figures that are as wide as they can be.
const report = {
  perSecond: 1e7,
  latency: { p50: 999.6e3, p99: 9.9e9 },
  lag: 123_456_789,
  lost: 1e12,
  statistics: { x: { mean: -1234.5, stddev: 1e12 } },
};
const readers = (count, name) =>
  Array.from({ length: count }, (_, i) => ({
    name: `${name} ${i + 1}`,
    report: i === 1 ? undefined : report,
  }));

function pictureOf(count, messages, size) {
  const view = {
    label: 'a table with a long name '.repeat(9),
    fields: ['x'],
    column: 0,
    seconds: 123456.7,
    written: 1e12,
    perSecond: 1e7,
    stats: log.stats(),
    window: 4096,
    log,
    costNs: { log: 12, messages: messages > 0 ? 3456 : null },
    readers: readers(count, 'reader'),
    receivers: readers(messages, 'postMessage'),
  };
  const latencies = new Latencies();
  for (let i = 0; i < 300; ++i) latencies.add(view);
  return { ...size, count, lines: render(view, 'note', latencies, size).split('\n') };
}

const pictures = [1, 3, 64].flatMap((count) =>
  [0, count].flatMap((messages) => SIZES.map((size) => pictureOf(count, messages, size))),
);
writer.close();
log.close();
console.log(JSON.stringify(pictures));
