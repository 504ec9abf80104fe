// Hands views to other software on every runtime, has decoders read what lies in a log, and writes the
// tables of docs/views.md: `node test/handover/run.mjs`. Runtimes and peers are pinned, and
// installed on demand (about 1.5 GB).
//
//   --only node20,bun   some runtimes; the tables are printed, not written
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
const require = createRequire(import.meta.url);
const cases = require('./cases.cjs');
const decoders = require('./decoders.cjs').all;
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

const cellsOf = (answers, name) =>
  ['external', 'shared'].map((mapping) =>
    cell(answers.map(({ title, marks }) => [title, marks[mapping][name].replaceAll('✗', '**✗**')])),
  );

async function table(head, rows, answers) {
  const versions = answers
    .map(({ title, version }) => (version ? `${title} (${version})` : title))
    .join(', ');
  const lines = [head, head.map(() => '-'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  const text = [...lines, '', `Run on ${versions}.`].join('\n');
  return format(text, { ...(await resolveConfig(page)), parser: 'markdown' });
}

/** Of a peer, as it is pinned. */
const versionOf = (peer) => require('./peers/package.json').dependencies[peer];

const peers = options.here ? tmpdir() : installPinned('handover', join(here, 'peers'));
const answers = asked().map((runtime) => {
  console.error(`${runtime.title} ${runtime.version ?? ''}`);
  return { ...runtime, marks: ask(runtime, peers) };
});
const tables = {
  handover: await table(
    ['given to', 'external', 'shared', ''],
    cases.map(({ name, keep }) => [name, ...cellsOf(answers, name), keep ? 'keep' : '']),
    answers,
  ),
  decoders: await table(
    ['decoded by', 'external', 'shared'],
    decoders.map(({ name, peer }) => [
      peer === undefined ? name : name.replace(peer, `${peer} ${versionOf(peer)}`),
      ...cellsOf(answers, name),
    ]),
    answers,
  ),
};
if (isWhole) {
  let text = readFileSync(page, 'utf8');
  for (const [name, content] of Object.entries(tables)) {
    const marked = new RegExp(`(<!-- ${name} -->\\n)[^]*?(<!-- /${name} -->)`);
    if (!marked.test(text)) throw new Error(`docs/views.md has lost its <!-- ${name} --> markers`);
    text = text.replace(marked, (_, before, after) => `${before}\n${content}\n${after}`);
  }
  writeFileSync(page, text);
} else {
  for (const content of Object.values(tables)) console.log(content);
}
