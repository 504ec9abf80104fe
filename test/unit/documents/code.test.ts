/** The code of the README and of docs/ runs as it stands, or is a fragment, which is counted and type-checked. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import ts from 'typescript';

import { blocksOf, pages, type Block } from '../../support/documents';
import { addon, packageRoot } from '../../support/internals';

const blocks = pages.flatMap(blocksOf);
const called = ({ page, line }: Block): string => `${page}:${line}`;
const isFragment = ({ note }: Block): boolean => note === 'fragment';

/** How many blocks of a page leave something for the reader to add: a new one is a decision. */
const FRAGMENTS: Readonly<Record<string, number>> = {
  'README.md': 1,
  'docs/deployment.md': 2,
  'docs/packaging.md': 1,
  'docs/processes.md': 1,
  'docs/replication.md': 4,
  'docs/testing.md': 1,
  'docs/values.md': 1,
  'docs/wal.md': 2,
};

/** What the programs print that print what depends on no clock. */
const PRINTED: Readonly<Record<string, (string | RegExp)[] | RegExp>> = {
  'README.md 1': ['the other thread wrote 7453671.520698285'],
  'README.md 2': ['1 an order'],
  'docs/deployment.md 1': ['0'],
  'docs/deployment.md 2': ['closed [ 1, 2, 3 ]'],
  'docs/errors.md 1': [/^ERR_INVALID_ARG_VALUE .*segmentCapacity/],
  'docs/memory.md 4': [/^5000 entries, although the window has 1\d\d\d$/],
  'docs/operations.md 1': ['2'],
  'docs/sizing.md 1': ['true true'],
  'docs/testing.md 1': ['true'],
  'docs/migrating.md 1': ['2'],
  'docs/processes.md 1': ['101', '102', '103', 'AbortError'],
  'docs/processes.md 2': ['true', 'undefined'],
  'docs/values.md 1': ['disk is nearly full', '19', '2'],
  'docs/segments.md 1': [
    'first',
    '5 bytes, 13 in the file',
    '6 bytes, 14 in the file',
    /^5000 bytes, \d\d in the file$/,
    '3 records, 0 bytes quarantined',
  ],
  // A follower may be given what it asks for in several pieces.
  'docs/wal.md 1':
    /^\{ lsn: 1, first: 5, last: 6, durable: 6 \}\n5 debit\n6 credit\n2\n1\n(\d entries, up to [2-6]\n)+clean 2 6$/,
};

// In the package, so that its name is found; in a folder of its own, for what the programs write.
const builds = join(packageRoot, 'build');
mkdirSync(builds, { recursive: true });
const folder = mkdtempSync(join(builds, 'documents-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Blocks that begin with the name of a file belong together; the first is the program. */
const NAMED = /^\/\/ ([\w-]+\.js)\n/;

interface Program {
  readonly name: string;
  readonly files: readonly Block[];
}

function programsOf(page: string): Program[] {
  const found: Block[][] = [];
  for (const block of blocksOf(page).filter((block) => block.language === 'js' && !isFragment(block))) {
    const previous = found.at(-1);
    const isNext = NAMED.test(block.code) && previous !== undefined && NAMED.test(previous[0]!.code);
    if (isNext) previous.push(block);
    else found.push([block]);
  }
  return found.map((files, i) => ({ name: `${page} ${i + 1}`, files }));
}

function run({ files }: Program): string {
  const directory = mkdtempSync(join(folder, 'program-'));
  const paths = files.map(({ code }) => {
    const extension = /^import /m.test(code) ? 'mjs' : 'js';
    const path = join(directory, NAMED.exec(code)?.[1] ?? `program.${extension}`);
    writeFileSync(path, code);
    return path;
  });
  return execFileSync(process.execPath, [paths[0]!], { cwd: directory, encoding: 'utf8' });
}

/** Bun prints an object on several lines. */
const linesOf = (printed: string): string[] =>
  printed
    .trim()
    .replace(/\{[^}]*\}/g, (object) => object.replace(/\s+/g, ' ').replace(', }', ' }'))
    .split('\n');

const programs = pages.flatMap(programsOf);

test('there are programs, and what is expected of them is about one of them', () => {
  expect(programs.length).toBeGreaterThanOrEqual(6);
  const names = programs.map(({ name }) => name);
  expect(Object.keys(PRINTED).filter((name) => !names.includes(name))).toEqual([]);
});

describe('runs, and ends by itself', () => {
  for (const program of programs) {
    const compresses = program.files.some(({ code }) => code.includes("'zstd'"));
    (compresses && !addon.hasCompression ? test.skip : test)(program.name, () => {
      const lines = linesOf(run(program));
      const expected = PRINTED[program.name];
      if (expected instanceof RegExp) expect(lines.join('\n')).toMatch(expected);
      else if (expected !== undefined)
        expect(lines).toEqual(
          expected.map((line) =>
            typeof line === 'string' ? line : (expect.stringMatching(line) as unknown as string),
          ),
        );
    });
  }
});

test('fragments are counted', () => {
  const counts: Record<string, number> = {};
  for (const block of blocks.filter(isFragment)) counts[block.page] = (counts[block.page] ?? 0) + 1;
  expect(counts).toEqual(FRAGMENTS);
  const notes = new Set(blocks.map(({ note }) => note));
  expect([...notes].filter((note) => note !== '' && note !== 'fragment')).toEqual([]);
});

/** What fragments may take for granted. */
const PRELUDE = `
import type * as atomicLog from 'atomic-log';
declare global {
  const AtomicLog: typeof atomicLog.AtomicLog;
  const log: atomicLog.AtomicLog<any>;
  const writer: atomicLog.Writer<any>;
  const wal: atomicLog.Wal;
  const reader: atomicLog.WalReader;
  const forward: typeof atomicLog.forward;
  const WalCursor: typeof atomicLog.WalCursor;
  const Wal: typeof atomicLog.Wal;
  const WalReader: typeof atomicLog.WalReader;
  const cursor: atomicLog.WalCursor;
  const target: atomicLog.ForwardTarget;
  const signal: AbortSignal;
  // What is the reader's own.
  const apply: any, db: any, handle: any, load: any, pack: any, report: any, save: any, saved: any, servers: any, unpack: any, url: any;
  // Of prom-client, and of OpenTelemetry.
  const Gauge: any, meter: any;
}`;

/** An implicit `any`, and what may be undefined: JavaScript has no way to say that it is meant. */
const ONLY_IN_TYPESCRIPT = new Set([7006, 2532, 18048]);

/** All blocks of TypeScript, and the fragments, as one program. */
function problems(checked: readonly Block[]): string[] {
  const sources = new Map([[join(folder, 'prelude.ts'), PRELUDE]]);
  const places = new Map<string, Block>();
  for (const [i, block] of checked.entries()) {
    const path = join(folder, `block-${i}.ts`);
    sources.set(path, `${block.code}\nexport {};`);
    places.set(path, block);
  }
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.esnext.d.ts'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    paths: Object.fromEntries(
      ['', '/jetstream', '/redis'].map((entry) => [
        `atomic-log${entry}`,
        [join(packageRoot, 'types', `${entry.slice(1) || 'index'}.d.ts`)],
      ]),
    ),
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile, readFile } = host;
  // The compiler's paths have slashes on every system.
  const own = new Map([...sources].map(([path, text]) => [path.replaceAll('\\', '/'), text]));
  host.fileExists = (path) => own.has(path) || fileExists(path);
  host.readFile = (path) => own.get(path) ?? readFile(path);
  host.getSourceFile = (path, version) =>
    own.has(path)
      ? ts.createSourceFile(path, own.get(path)!, version)
      : getSourceFile.call(host, path, version);
  const program = ts.createProgram([...own.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).flatMap(({ file, start, code, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, '\n');
    const block = [...places].find(([path]) => path.replaceAll('\\', '/') === file?.fileName)?.[1];
    if (block === undefined) return `${file?.fileName}: ${text}`;
    if (block.language === 'js' && ONLY_IN_TYPESCRIPT.has(code)) return [];
    return `${block.page}:${block.line + file!.getLineAndCharacterOfPosition(start!).line} ${text}`;
  });
}

test('TypeScript and fragments agree with the types', () => {
  const checked = blocks.filter(
    (block) => block.language === 'ts' || (block.language === 'js' && isFragment(block)),
  );
  expect(checked.map(called)).not.toEqual([]);
  expect(problems(checked)).toEqual([]);
});
