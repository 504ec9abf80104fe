// Addons that use the installed headers, and one that owes the package nothing. Tests build them when they are missing or
// old; test/runtimes/run.mjs does before it starts runtimes that come without headers.
'use strict';

const { spawnSync } = require('node:child_process');
const { existsSync, readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');

const packageRoot = join(__dirname, '..', '..');

const names = {
  'test/addon': 'native_client',
  'examples/native-producer': 'telemetry',
  'benchmarks/bare-addon': 'bare_addon',
};

function hasCompiler() {
  if (process.platform === 'win32') return true; // node-gyp looks for it in places of its own
  return spawnSync(process.env.CXX ?? 'c++', ['--version']).status === 0;
}

/** When the file, or the latest in the folder, was written. */
function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  const files = readdirSync(path).filter((name) => name !== 'build' && !name.endsWith('.mjs'));
  return Math.max(0, ...files.map((name) => newest(join(path, name))));
}

/**
 * Builds the addon in a directory, as its user would; returns the binary.
 * Undefined where there is no compiler, which is said.
 */
function buildOtherAddon(directory) {
  const binary = join(packageRoot, directory, 'build', 'Release', `${names[directory]}.node`);
  const sources = ['src-native/include', directory].map((path) => newest(join(packageRoot, path)));
  if (existsSync(binary) && statSync(binary).mtimeMs > Math.max(...sources)) return binary;
  if (!hasCompiler()) {
    console.warn(`no C++ compiler: what needs ${directory} is not tested`);
    return undefined;
  }
  const { status, stderr } = spawnSync(
    process.execPath,
    ['scripts/build-addon.mjs', `--directory=${directory}`, '--loglevel=error'],
    { cwd: packageRoot, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${directory} does not build:\n${stderr}`);
  return binary;
}

module.exports = { buildOtherAddon, otherAddons: Object.keys(names) };
