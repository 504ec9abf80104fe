// The build that compiles only what is old never leaves a binary that is: a small
// addon of one source and one header is built as `npm run build:native` builds ours.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { packageRoot } from '../../support/internals';

const hasCompiler = spawnSync(process.env.CXX ?? 'c++', ['--version']).status === 0;
const testWithCompiler = hasCompiler && process.platform !== 'win32' ? test : test.skip;

let directory: string;
let loads = 0;

const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);

const project = (sources: readonly string[], ...defines: readonly string[]): void =>
  write(
    'binding.gyp',
    JSON.stringify({
      variables: { 'flavour%': 0 },
      targets: [{ target_name: 'small', sources, defines: ['FLAVOUR=<(flavour)', ...defines] }],
    }),
  );

const source = (file: string, text: string): void =>
  write(
    file,
    `#include <node_api.h>
#include "number.h"
#ifndef ADDED
#define ADDED 0
#endif
#ifdef EXTRA
int extra();
#else
static int extra() { return 0; }
#endif
NAPI_MODULE_INIT() {
  napi_value number;
  napi_create_int32(env, ${text} + extra() + NUMBER + 10 * FLAVOUR + 100 * ADDED, &number);
  return number;
}
`,
  );

/** Builds, and returns what the binary says and how many files were compiled. */
function build(args: readonly string[] = [], variables: NodeJS.ProcessEnv = {}): [number, number] {
  const { CI: _, ...environment } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/build-addon.mjs', `--directory=${directory}`, ...args],
    { cwd: packageRoot, encoding: 'utf8', env: { ...environment, ...variables } },
  );
  if (status !== 0) throw new Error(stderr);
  // Under a name of its own: a process loads a file once.
  const loaded = join(directory, `loaded-${++loads}.node`);
  cpSync(join(directory, 'build', 'Release', 'small.node'), loaded);
  const module = { exports: 0 as unknown };
  process.dlopen(module, loaded);
  return [module.exports as number, stdout.match(/ CXX\(target\)/g)?.length ?? 0];
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'atomic-log-build-'));
  project(['small.cc']);
  source('small.cc', '0');
  write('number.h', '#define NUMBER 1\n');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

testWithCompiler(
  'a build compiles what changed, and all that could be old',
  () => {
    expect(build()).toEqual([1, 1]);
    expect(build()).toEqual([1, 0]);

    write('number.h', '#define NUMBER 2\n');
    expect(build()).toEqual([2, 1]);

    // Of a time long ago, as what is unpacked or moved may be.
    write('number.h', '#define NUMBER 3\n');
    utimesSync(join(directory, 'number.h'), 1e9, 1e9);
    expect(build()).toEqual([3, 1]);

    // What gyp is told, there and back.
    expect(build(['--', '-Dflavour=1'])).toEqual([13, 1]);
    expect(build()).toEqual([3, 1]);

    // What the compiler is told.
    expect(build([], { CXXFLAGS: '-DADDED=2' })).toEqual([203, 1]);
    expect(build()).toEqual([3, 1]);

    // The project: what it defines, and its sources.
    project(['small.cc'], 'ADDED=1');
    expect(build()).toEqual([103, 1]);
    write('extra.cc', 'int extra() { return 5; }\n');
    project(['small.cc', 'extra.cc'], 'EXTRA');
    expect(build()).toEqual([8, 2]);
    write('extra.cc', 'int extra() { return 6; }\n');
    expect(build()).toEqual([9, 1]);
  },
  300_000,
);

testWithCompiler(
  'everything is built anew on demand, in CI, and with another Node',
  () => {
    expect(build()).toEqual([1, 1]);
    expect(build(['--full'])).toEqual([1, 1]);
    expect(build([], { CI: 'true' })).toEqual([1, 1]);
    expect(build()).toEqual([1, 0]);
    const record = join(directory, 'build', 'made-from.json');
    const made = readFileSync(record, 'utf8');
    expect(made).toContain(process.version);
    writeFileSync(record, made.replaceAll(process.version, 'v20.0.0'));
    expect(build()).toEqual([1, 1]);
  },
  300_000,
);

testWithCompiler(
  'the binary is no older than its sources after a build',
  () => {
    build();
    // A file that nothing includes.
    write('unused.h', '\n');
    build();
    const timeOf = (name: string): number => statSync(join(directory, name)).mtimeMs;
    expect(timeOf('build/Release/small.node')).toBeGreaterThanOrEqual(timeOf('unused.h'));
  },
  300_000,
);
