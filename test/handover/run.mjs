// Hands views to other software on every runtime and writes the table of
// docs/views.md: `node test/handover/run.mjs`. Runtimes and peers are pinned, and
// installed on demand (about 1.5 GB).
//
//   --only node20,bun   some runtimes; the table is printed, not written
//   --here              this Node only, without peers: needs nothing from outside
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { installPinned } from '../../scripts/prebuild/pinned-packages.mjs';
import { install, pinOf, runtimes } from '../runtimes/install.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const page = join(here, '..', '..', 'docs', 'views.md');
const cases = createRequire(import.meta.url)('./cases.cjs');
const CASES_MS_MAX = 120_000;

const { values: options } = parseArgs({ options: { only: { type: 'string' }, here: { type: 'boolean' } } });
const isWhole = options.only === undefined && !options.here;

const titles = { node: 'Node', bun: 'Bun', deno: 'Deno' };
const thisOne = { title: `Node ${process.versions.node}`, command: [process.execPath] };

/** The runtimes to ask, with how they are called here. */
function asked() {
  if (options.here) return [thisOne];
  const names = options.only?.split(',');
  return runtimes
    .filter(({ name, emulation }) => emulation === undefined && (names?.includes(name) ?? true))
    .map((runtime) => {
      const { version } = pinOf(runtime);
      const flags = runtime.family === 'bun' ? [] : runtime.flags;
      const title = runtime.family === 'node' ? `Node ${version.split('.')[0]}` : titles[runtime.family];
      return { title, version, command: [install(runtime), ...flags] };
    });
}

/** The marks of one runtime: `{ external: { case: mark }, shared: … }`. */
function ask({ title, command: [program, ...args] }, peers) {
  const marks = (mapping) => {
    const { stdout, stderr, error } = spawnSync(program, [...args, join(here, 'probe.cjs'), mapping, peers], {
      encoding: 'utf8',
      timeout: CASES_MS_MAX,
    });
    const line = stdout.trim().split('\n').at(-1);
    if (error !== undefined || !line.startsWith('{')) throw new Error(`${title}: ${error ?? stderr}`);
    return JSON.parse(line);
  };
  return { external: marks('external'), shared: marks('shared') };
}

/** One mark where all runtimes agree, else each mark with its runtimes. */
function cell(byRuntime) {
  const groups = new Map();
  for (const [title, mark] of byRuntime) groups.set(mark, [...(groups.get(mark) ?? []), title]);
  if (groups.size === 1) return [...groups.keys()][0];
  return [...groups]
    .map(([mark, names]) => `${names.join(', ').replaceAll(', Node ', ', ')}: ${mark}`)
    .join('; ');
}

async function table(answers) {
  const rows = cases.map(({ name, keep }) => {
    const cells = ['external', 'shared'].map((mapping) =>
      cell(answers.map(({ title, marks }) => [title, marks[mapping][name].replaceAll('✗', '**✗**')])),
    );
    return `| ${name} | ${cells.join(' | ')} | ${keep ? 'keep' : ''} |`;
  });
  const versions = answers
    .map(({ title, version }) => (version ? `${title} (${version})` : title))
    .join(', ');
  const text = [
    '| given to | external | shared | |',
    '| - | - | - | - |',
    ...rows,
    '',
    `Run on ${versions}.`,
  ];
  return format(text.join('\n'), { ...(await resolveConfig(page)), parser: 'markdown' });
}

const peers = options.here ? tmpdir() : installPinned('handover', join(here, 'peers'));
const answers = asked().map((runtime) => {
  console.error(`${runtime.title} ${runtime.version ?? ''}`);
  return { ...runtime, marks: ask(runtime, peers) };
});
const text = await table(answers);
if (isWhole) {
  const marked = /(<!-- handover -->\n)[^]*?(<!-- \/handover -->)/;
  const old = readFileSync(page, 'utf8');
  if (!marked.test(old)) throw new Error('docs/views.md has lost its <!-- handover --> markers');
  writeFileSync(
    page,
    old.replace(marked, (_, before, after) => `${before}\n${text}\n${after}`),
  );
} else {
  console.log(text);
}
