// The demo, in each of its modes: it checks itself, and says how it went in its exit status.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { runFileInChild } from '../../support/child';
import { packageRoot } from '../../support/internals';
import { processesRefused } from '../../support/processes';
import { runtime } from '../../support/runtime';

const demo = join(packageRoot, 'examples', 'demo');
// It is made for Node.js.
const onNode = runtime === 'node' ? test : test.skip;

function run(...args: string[]): { status: number | null; lines: string[]; errors: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(demo, 'main.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { status, lines: stdout.trim().split('\n'), errors: stderr };
}

interface Summary {
  writer: { written: number; costNs: number };
  readers: { seen: number; lost: number; columns: Record<string, unknown> }[];
  messages: { costNs: number; readers: { seen: number }[] } | null;
  check: { passed: boolean; problems: string[] };
}

function summaryOf(...args: string[]): Summary {
  const { status, lines, errors } = run('--json', ...args);
  expect({ status, errors }).toEqual({
    status: 0,
    errors: expect.stringContaining('check passed') as string,
  });
  return JSON.parse(lines.at(-1)!) as Summary;
}

onNode.each([['this machine', []] as const, ['the sample', ['--sample']] as const])(
  '%s: all readers see all records, and so do those of the same by postMessage',
  (_, args) => {
    const { writer, readers, messages, check } = summaryOf('--seconds', '0.5', ...args);
    expect(check).toEqual({ passed: true, problems: [] });
    expect(writer.written).toBeGreaterThan(0);
    expect(readers.map(({ seen, lost }) => [seen, lost])).toEqual(Array(3).fill([writer.written, 0]));
    expect(messages!.readers.map(({ seen }) => seen)).toEqual(Array(3).fill(writer.written));
    expect(writer.costNs).toBeGreaterThan(0);
    expect(messages!.costNs).toBeGreaterThan(0);
  },
);

onNode('as fast as it can: what slow readers lose is counted, and no messages queue up', () => {
  const { writer, readers, messages } = summaryOf('--sample', '--rate', 'max', '--readers', '2', '--poll');
  expect(writer.written).toBe(200_000);
  expect(readers.map(({ seen, lost }) => seen + lost)).toEqual([200_000, 200_000]);
  expect(messages).toBeNull();
});

onNode('a write-ahead log: what was acknowledged before the kill is there after it', () => {
  const { status, lines, errors } = run('--wal', '--kills', '2', '--seconds', '0.1');
  expect({ status, errors }).toEqual({ status: 0, errors: '' });
  expect(lines.filter((line) => line.startsWith('kill'))).toHaveLength(2);
  expect(lines.filter((line) => /^ {2}missing +0$/.test(line))).toHaveLength(2);
  expect(lines.at(-1)).toMatch(/^check passed: all [1-9][\d,]* acknowledged entries survived 2 kills$/);
});

(processesRefused === undefined ? onNode : test.skip)(
  'processes: a writer and a reader are killed, and nothing wrong is read',
  () => {
    const { status, lines, errors } = run('--processes', '--readers', '2', '--seconds', '0.1');
    expect({ status, errors }).toEqual({ status: 0, errors: '' });
    const counts = lines.at(-3)!;
    expect(counts).toMatch(
      /published, [1-9][\d,]* read, [\d,]+ lost, 0 wrong; killed: [1-9]\d* writers, [1-9]\d* readers$/,
    );
    expect(lines.at(-2)).toMatch(/^slowest take-over: [\d.]+ ms after the kill$/);
    expect(lines.at(-1)).toMatch(/^check passed: none of [1-9][\d,]* entries that were read is wrong$/);
  },
);

onNode('what makes no sense together is refused', () => {
  for (const args of [
    ['--processes', '--wal'],
    ['--wal', '--sample'],
    ['--rate', 'fast'],
  ])
    expect(run(...args).status).toBe(2);
});

onNode('the picture keeps to the terminal: from 60 columns on, and it uses the height', () => {
  const pictures = JSON.parse(runFileInChild(join(packageRoot, 'test', 'support', 'demo-pictures.mjs'))) as {
    columns: number;
    rows: number;
    count: number;
    lines: string[];
  }[];
  for (const { columns, rows, count, lines } of pictures) {
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns);
    expect(lines.length).toBeLessThan(rows);
    // Where there is room for the plots, they fill it.
    if (rows > 12 && count <= 3) expect(lines).toHaveLength(rows - 1);
  }
});
