// Builds the addon another way than users get it, with g++ on Linux, beside the
// ordinary build. The package loads it when ATOMIC_LOG_PREBUILD names its folder.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inParallel } from '../../scripts/prebuild/in-parallel.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const require = createRequire(import.meta.url);
const execute = promisify(execFile);

/** The files of a folder and those below it. */
function filesIn(directory) {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

const own = [...filesIn('src-native/binding'), ...filesIn('src-native/core')];
const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const isNewer = (file, inputs) => inputs.every((path) => changed(join(root, path)) < changed(file));

const common = [
  '-std=c++20',
  '-fno-exceptions',
  '-fvisibility=hidden',
  '-fPIC',
  '-DNAPI_VERSION=8',
  '-DNAPI_DISABLE_CPP_EXCEPTIONS',
  '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  '-DNODE_GYP_MODULE_NAME=atomic_log',
  `-DATOMIC_LOG_PACKAGE_VERSION=${require('../../package.json').version}`,
  '-DBUILDING_NODE_EXTENSION',
  '-Isrc-native',
  '-Itest',
  '-Itest/native',
  `-I${require('node-addon-api').include_dir}`,
  `-I${join(dirname(dirname(process.execPath)), 'include', 'node')}`,
];

/** What takes the compiler longest to read, and most sources include. Few sources are not worth reading it. */
const PRECOMPILED =
  '#include <algorithm>\n#include <memory>\n#include <mutex>\n#include <string>\n#include <napi.h>\n';
const WORTH_PRECOMPILING = 10;

async function compile(directory, sources, flags) {
  const compiler = async (...args) => {
    const { stderr } = await execute('g++', [...common, ...flags, ...args], { cwd: root });
    process.stderr.write(stderr);
  };
  const header = join(directory, 'precompiled.h');
  const isWorth = sources.length >= WORTH_PRECOMPILING;
  if (isWorth) {
    writeFileSync(header, PRECOMPILED);
    await compiler('-x', 'c++-header', header, '-o', `${header}.gch`);
  }
  const objects = sources.map((source, i) => join(directory, `${i}.o`));
  const included = isWorth ? ['-include', header] : [];
  await inParallel(sources.map((source, i) => () => compiler(...included, '-c', source, '-o', objects[i])));
  return objects;
}

/**
 * What node-gyp has compiled for the ordinary build: the objects of sources that
 * neither are nor include any of the files, and the sources that do.
 */
function ordinaryBuild(files) {
  const build = 'build/Release';
  if (!isNewer(join(root, build, 'atomic_log.node'), own)) {
    throw new Error('the addon is older than its sources: npm run build:native');
  }
  const objects = [];
  const sources = [];
  for (const object of filesIn(`${build}/obj.target/atomic_log`).filter((path) => path.endsWith('.o'))) {
    // What it was made of may be gone since.
    const source = `${object.slice(`${build}/obj.target/atomic_log/`.length, -2)}.cc`;
    if (source.startsWith('src-native') && !own.includes(source)) continue;
    // As make reads it: "object: source header header ...".
    const inputs = readFileSync(
      join(root, build, '.deps/Release', `${object.slice(build.length + 1)}.d`),
      'utf8',
    );
    if (files.some((file) => inputs.includes(file))) sources.push(inputs.match(/src-native\/\S+\.cc/)[0]);
    else objects.push(object);
  }
  return { objects, sources };
}

/**
 * Builds into build/NAME and returns that folder; does nothing when that is newer
 * than every source. With `onlyThoseWith`, the addon's objects are those of the
 * ordinary build, but for sources that include one of these. `replace` maps a
 * source of the addon to what stands in for it.
 */
export async function buildAddon(
  name,
  { flags = ['-O2'], linkFlags = flags, onlyThoseWith, replace = {}, sources = [], headers = [] },
) {
  const output = join(root, 'build', name);
  const directory = join(output, 'build', 'Release');
  const target = join(directory, 'atomic_log.node');
  if (isNewer(target, [...own, ...Object.values(replace), ...sources, ...headers])) return output;

  mkdirSync(directory, { recursive: true });
  // Under another name first: several test processes may build at the same time.
  const made = mkdtempSync(join(directory, 'made-'));
  try {
    const ordinary =
      onlyThoseWith === undefined
        ? { objects: [], sources: own.filter((path) => path.endsWith('.cc')) }
        : ordinaryBuild([...onlyThoseWith, ...Object.keys(replace)]);
    const hasZstd = ordinary.objects.some((path) => path.includes('zstd'));
    const compiled = await compile(
      made,
      [...ordinary.sources.map((path) => replace[path] ?? path), ...sources],
      hasZstd ? [...flags, '-DATOMIC_LOG_HAS_ZSTD'] : flags,
    );
    const addon = join(made, 'atomic_log.node');
    const linked = [...ordinary.objects, ...compiled, '-o', addon, '-ldl', '-pthread'];
    execFileSync('g++', ['-shared', ...linkFlags, ...linked], {
      cwd: root,
      stdio: 'inherit',
    });
    renameSync(addon, target);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return output;
}

/**
 * Runs jest with the command line's arguments against such an addon, without the
 * tests whose paths match; ends the process with its status.
 */
export function runJest(output, variables = {}, without = []) {
  const env = { ...process.env, ATOMIC_LOG_PREBUILD: output, ...variables };
  const script = 'console.log(require("./dist/base/native.js").addonPath)';
  const used = execFileSync(process.execPath, ['-e', script], { cwd: root, env, encoding: 'utf8' }).trim();
  if (!used.startsWith(output)) throw new Error(`not the addon in ${output} would be tested, but ${used}`);
  const left = without.length === 0 ? [] : ['--testPathIgnorePatterns', ...without];
  const jest = [require.resolve('jest/bin/jest'), ...process.argv.slice(2), ...left];
  const { status } = spawnSync(process.execPath, jest, { cwd: root, env, stdio: 'inherit' });
  process.exit(status ?? 1);
}
