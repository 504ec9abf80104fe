// Writes types/index.d.ts, and those of the other entries of the package: the public API in one
// file each, generated from lib/ and committed, so that every change of the API shows in a diff.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateDtsBundle } from 'dts-bundle-generator';
import { format, resolveConfig } from 'prettier';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

// Declarations first, because only tsc leaves out what is marked @internal.
const declarations = join(root, 'build', 'declarations');
execFileSync(
  process.execPath,
  [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    root,
    '--declaration',
    '--emitDeclarationOnly',
    '--outDir',
    declarations,
  ],
  { stdio: 'inherit' },
);

/** The entries of the package, and what of lib/ they are. */
const entries = { index: 'index', jetstream: 'replication/jetstream', redis: 'replication/redis' };
const bundles = generateDtsBundle(
  Object.values(entries).map((module) => ({
    filePath: join(declarations, `${module}.d.ts`),
    output: { noBanner: true, exportReferencedTypes: false },
  })),
  { preferredConfigPath: join(root, 'tsconfig.json') },
);
// What the declarations name and a program's own settings may lack: TypeScript 6 and
// 7 take nothing from @types/node by themselves, and not every program has `dom`. Where
// one of both is there, the empty interface is merged with theirs. Buffer is theirs
// where @types/node is there: an interface of that name would have to have its parameters.
const banner = `// Generated from lib/ by "npm run build:types". Do not edit.
/// <reference lib="esnext.disposable" />

declare global {
  interface AbortSignal {}
}
type Buffer = typeof globalThis extends { Buffer: { alloc(size: number): infer B } } ? B : Uint8Array;

`;
/** The text of an entry's types. */
async function typesOf(bundle, path) {
  // AtomicLog$1 is the class that the export of its name stands for. lib/base/dispose.ts is a run-time matter; for types it is Symbol.dispose.
  const publicTypes = bundle
    .replaceAll('AtomicLog$1', 'AtomicLogImpl')
    // The class itself is not exported: declarations of users could not name it.
    .replaceAll(': AtomicLog<', ': AtomicLogImpl<')
    .replace(/^declare const dispose: typeof Symbol\.dispose;\n/m, '')
    .replace(/^declare const asyncDispose: typeof Symbol\.asyncDispose;\n/m, '')
    .replaceAll('[dispose]()', '[Symbol.dispose]()')
    .replaceAll('[asyncDispose]()', '[Symbol.asyncDispose]()');
  return format(banner + publicTypes, { ...(await resolveConfig(path)), filepath: path });
}

for (const [at, entry] of Object.keys(entries).entries()) {
  const path = join(root, `types/${entry}.d.ts`);
  const text = await typesOf(bundles[at], path);
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`types/${entry}.d.ts is stale: run "npm run build:types" and commit the result`);
    process.exitCode = 1;
  }
}
