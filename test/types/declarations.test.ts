/**
 * What a program's own declarations say of logs that it exports: a library that is
 * compiled with `declaration: true`, and a program that uses nothing but what was emitted.
 */
import { dirname, join } from 'node:path';

import ts from 'typescript';

const packageTypes = join(__dirname, '..', '..', 'types', 'index.d.ts');

const library = `
import { AtomicLog, bytes, defineSchema, json, Wal, WalCursor, WalReader } from 'atomic-log';
const size = { retainedCapacity: 8, segmentCapacity: 4 };
export const schema = defineSchema({ at: 'f64', id: 'i64', text: 'utf8' });
export const numbers = new AtomicLog(size);
export const bigints = new AtomicLog({ ...size, type: 'i64' });
export const log = new AtomicLog({ ...size, schema });
export const inline = AtomicLog.claimed({ ...size, schema: { a: 'u8', raw: 'bytes' } });
export const values = AtomicLog.claimed({ ...size, codec: json<{ a: number }>() });
export const binary = new AtomicLog({ ...size, codec: bytes });
export const attached = AtomicLog.attach(log.handle, { schema, name: 'reader' });
export const { handle } = log;
export const reader = log.snapshot();
export const batches = log.follow({ from: 'latest' });
export const chunks = reader.chunks(reader.lowerBound('at', 1));
export const cursor = reader.cursor();
export const rows = reader.rows();
export const writer = log.tryClaimWriter();
export const stats = log.stats();
export function columns() {
  return chunks.map((chunk) => ({ at: chunk.column('at'), text: chunk.column('text') }));
}
export class Store {
  readonly log = new AtomicLog({ ...size, schema });
  latest() {
    return this.log.latest();
  }
}
export const wal = () => Wal.open('directory');
export const consumer = async () => (await wal()).cursor('billing', { reset: true });
export const elsewhere = () => WalCursor.openSync('directory', 'billing');
export const consumers = () => WalReader.open('directory').cursors();
`;

/** A file that names nothing of the package: its declarations must. */
const other = `
import { log, reader } from './library.js';
export const owner = reader.log;
export const first = reader.chunks()[0];
export const claim = () => log.waitForWriter();
`;

const program = `
import { owner } from './other.js';
import * as all from './library.js';
import { AtomicLog, type RecordOf, type VarColumn, type WalCursorInfo, type WalPosition } from 'atomic-log';
const at: Float64Array = all.chunks[0]!.column('at');
const id: BigInt64Array = all.reader.chunks()[0]!.column('id');
const text: VarColumn<string> = all.columns()[0]!.text;
const entry: RecordOf<typeof all.schema> | undefined = new all.Store().latest();
const number: number | undefined = all.numbers.latest();
const values: Float64Array = all.numbers.snapshot().chunks()[0]!.values;
const bigints: BigInt64Array = all.bigints.snapshot().chunks()[0]!.values;
const a: number | undefined = all.values.log.latest()?.a;
const raw: Uint8Array | undefined = all.inline.log.latest()?.raw;
const owned: typeof all.log = owner;
const same: AtomicLog<RecordOf<typeof all.schema>> = all.attached;
all.writer?.append({ at: 1, id: 2n, text: 'a' });
const position: WalPosition | undefined = all.elsewhere().position;
const lag: number = all.elsewhere().lag;
const committed: Promise<void> = all.consumer().then((cursor) => cursor.commit(position!));
const [info]: WalCursorInfo[] = all.consumers();
const holder: number | undefined = info!.holder;
export const used = [at, id, text, entry, number, values, bigints, a, raw, same, owned, all.handle.id, all.binary.latest(), lag, committed, holder];
// @ts-expect-error -- the log has no such column
all.reader.chunks()[0]!.column('none');
// @ts-expect-error -- a field has the wrong type
all.writer?.append({ at: 1, id: 2, text: 'a' });
`;

/** The messages of a program of these files, and what it emits. */
function compile(
  files: Record<string, string>,
  options: ts.CompilerOptions,
): [string[], Record<string, string>] {
  const emitted: Record<string, string> = {};
  const host = ts.createCompilerHost(options);
  const path = (name: string): string => join(__dirname, name);
  const texts = new Map(Object.entries(files).map(([name, text]) => [path(name), text]));
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => texts.has(name) || fileExists.call(host, name);
  host.readFile = (name) => texts.get(name) ?? readFile.call(host, name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = texts.get(name);
    return text === undefined
      ? getSourceFile.call(host, name, version, ...rest)
      : ts.createSourceFile(name, text, version);
  };
  host.writeFile = (name, text) => (emitted[name.slice(dirname(path('x')).length + 1)] = text);
  const built = ts.createProgram([...texts.keys()], options, host);
  const { diagnostics } = built.emit();
  const messages = [...ts.getPreEmitDiagnostics(built), ...diagnostics].map(
    ({ file, messageText }) =>
      `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
  );
  return [messages, emitted];
}

test('logs, schemas and readers that are exported can be declared, and used by their declarations', () => {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts', 'lib.es2024.sharedmemory.d.ts'],
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    strict: true,
    noUncheckedIndexedAccess: true,
    declaration: true,
    emitDeclarationOnly: true,
    types: ['node'],
    paths: { 'atomic-log': [packageTypes] },
  };
  const [messages, emitted] = compile({ 'library.ts': library, 'other.ts': other }, options);
  expect(messages).toEqual([]);
  const declarations = { 'library.d.ts': emitted['library.d.ts']!, 'other.d.ts': emitted['other.d.ts']! };
  // By their public names.
  expect(declarations['library.d.ts']).toMatch(/const log: AtomicLog<.*RecordOf</);
  expect(declarations['other.d.ts']).toMatch(/const owner: import\(.*\)\.AtomicLog<.*RecordOf</);
  const [uses] = compile({ ...declarations, 'program.ts': program }, { ...options, noEmit: true });
  expect(uses).toEqual([]);
});
