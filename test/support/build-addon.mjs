// Builds the addon another way than users get it, with g++ on Linux, beside the
// ordinary build. The package loads it when ATOMIC_LOG_PREBUILD names its folder.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const require = createRequire(import.meta.url);

/** The files of a folder and those below it. */
function filesIn(directory) {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/**
 * Builds into build/NAME and returns that folder; does nothing when that is newer
 * than every source. `replace` maps a source of the addon to what stands in for it.
 */
export function buildAddon(name, { flags, replace = {}, sources = [], headers = [] }) {
  const output = join(root, 'build', name);
  const directory = join(output, 'build', 'Release');
  const target = join(directory, 'atomic_log.node');
  const own = [...filesIn('src-native/binding'), ...filesIn('src-native/core')];
  const inputs = [...own, ...Object.values(replace), ...sources, ...headers].map((path) => join(root, path));
  if (inputs.every((path) => changed(path) < changed(target))) return output;

  mkdirSync(directory, { recursive: true });
  const common = [
    '-std=c++20',
    '-fno-exceptions',
    '-fvisibility=hidden',
    '-shared',
    '-fPIC',
    '-DNAPI_VERSION=8',
    '-DNAPI_DISABLE_CPP_EXCEPTIONS',
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    '-DNODE_GYP_MODULE_NAME=atomic_log',
    `-DATOMIC_LOG_PACKAGE_VERSION=${require('../../package.json').version}`,
    '-DBUILDING_NODE_EXTENSION',
    '-Isrc-native',
    '-Itest/native',
    `-I${require('node-addon-api').include_dir}`,
    `-I${join(dirname(dirname(process.execPath)), 'include', 'node')}`,
  ];
  const files = own.filter((path) => path.endsWith('.cc')).map((path) => replace[path] ?? path);
  // Under another name first: several test processes may build at the same time.
  const made = `${target}.${process.pid}`;
  execFileSync('g++', [...common, ...flags, ...files, ...sources, '-o', made, '-ldl'], {
    cwd: root,
    stdio: 'inherit',
  });
  renameSync(made, target);
  return output;
}

/**
 * Runs jest with the command line's arguments against such an addon, without the
 * tests whose paths match; ends the process with its status.
 */
export function runJest(output, variables = {}, without = []) {
  const env = { ...process.env, ATOMIC_LOG_PREBUILD: output, ...variables };
  const script = 'console.log(require("./dist/native.js").addonPath)';
  const used = execFileSync(process.execPath, ['-e', script], { cwd: root, env, encoding: 'utf8' }).trim();
  if (!used.startsWith(output)) throw new Error(`not the addon in ${output} would be tested, but ${used}`);
  const left = without.length === 0 ? [] : ['--testPathIgnorePatterns', ...without];
  const jest = [require.resolve('jest/bin/jest'), ...process.argv.slice(2), ...left];
  const { status } = spawnSync(process.execPath, jest, { cwd: root, env, stdio: 'inherit' });
  process.exit(status ?? 1);
}
