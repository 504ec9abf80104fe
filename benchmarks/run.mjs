// Runs every question of a folder (default: memory), each in a process of its
// own, and prints one table: `npm run bench`. With --write, benchmarks/RESULTS.md
// is made from it.
import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import Table from 'cli-table3';

const here = fileURLToPath(new URL('.', import.meta.url));
const run = promisify(execFile);

const program = new Command('bench')
  .description('ratios measured within one run, and whether they meet their targets')
  .argument('[questions...]', 'names of files in benchmarks/memory', [])
  .option('--write', 'write benchmarks/RESULTS.md')
  .parse();

/** Files that are started by others end in -worker or name their role after a dash. */
function questions() {
  const all = readdirSync(join(here, 'memory'))
    .filter((name) => name.endsWith('.mjs') && !name.includes('-'))
    .map((name) => name.slice(0, -'.mjs'.length));
  const unknown = program.args.find((name) => !all.includes(name));
  if (unknown !== undefined)
    program.error(`no question ${unknown}; there are ${all.join(', ')}`, { exitCode: 2 });
  return program.args.length > 0 ? program.args : all;
}

function verdict({ ratio, target }) {
  if (target === null) return 'reported';
  return ratio <= target ? 'met' : `missed by ${((ratio / target - 1) * 100).toFixed(0)} %`;
}

function cells(row) {
  return [
    row.operation + (row.note === undefined ? '' : ` (${row.note})`),
    `${row.ns.toFixed(2)} ns`,
    `${row.ratio.toFixed(3)} ${row.unit}`,
    row.target === null ? '' : `<= ${row.target}`,
    verdict(row),
  ];
}

const head = ['operation', 'median', 'ratio', 'target', ''];
const rows = [];
for (const name of questions()) {
  const { stdout } = await run(process.execPath, [join(here, 'memory', `${name}.mjs`)], {
    maxBuffer: 1 << 24,
  });
  for (const line of stdout.trim().split('\n').filter(Boolean)) rows.push(JSON.parse(line));
}

const table = new Table({
  head,
  colWidths: [46, 13, 20, 10, 16],
  wordWrap: true,
  style: { head: [], border: [] },
});
for (const row of rows) table.push(cells(row));
console.log(table.toString());
console.log(
  'E = an empty Node-API call, A = Atomics.load, M = TypedArray.prototype.set of the same bytes; lower is better.',
);

if (program.opts().write) {
  const lines = [
    '# Results',
    '',
    'Made by `npm run bench -- --write`. Every figure is a median over interleaved rounds of one run; the ratio is what',
    'counts, the nanoseconds depend on the machine.',
    '',
    'E = an empty Node-API call, A = `Atomics.load`, M = `TypedArray.prototype.set` of the same bytes over a working set of the same size.',
    '',
    `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, Node ${process.version}, ${process.platform}-${process.arch}`,
    '',
    `| ${head.map((name) => name || 'verdict').join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    ...rows.map((row) => `| ${cells(row).join(' | ')} |`),
    '',
  ];
  writeFileSync(join(here, 'RESULTS.md'), lines.join('\n'));
}
