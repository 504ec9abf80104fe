// Builds the addon with other flags than the ordinary one, apart from it, and
// runs the jest suite against that. Needs g++ on Linux.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const require = createRequire(import.meta.url);

function sources(directory) {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sources(path);
    return path.endsWith('.cc') ? [path] : [];
  });
}

/** Builds the addon into build/`name` and returns that folder, for ATOMIC_LOG_PREBUILD. */
export function buildAddon(name, flags, extraSources = []) {
  const output = join(root, 'build', name);
  const directory = join(output, 'build', 'Release');
  mkdirSync(directory, { recursive: true });
  // node-gyp-build looks for the package's name beside the binary.
  copyFileSync(join(root, 'package.json'), join(output, 'package.json'));
  const common = [
    '-std=c++20',
    '-fno-exceptions',
    '-shared',
    '-fPIC',
    '-DNAPI_VERSION=8',
    '-DNAPI_DISABLE_CPP_EXCEPTIONS',
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
    '-DNODE_GYP_MODULE_NAME=atomic_log',
    '-DBUILDING_NODE_EXTENSION',
    '-Isrc-native',
    `-I${require('node-addon-api').include_dir}`,
    `-I${join(dirname(dirname(process.execPath)), 'include', 'node')}`,
  ];
  const files = [...sources('src-native/binding'), ...sources('src-native/core'), ...extraSources];
  const target = join(directory, 'atomic_log.node');
  execFileSync('g++', [...common, ...flags, ...files, '-o', target, '-ldl'], { cwd: root, stdio: 'inherit' });
  return output;
}

/** Runs jest with the command line's arguments against such an addon; ends the process with its status. */
export function runJest(output, variables = {}) {
  const env = { ...process.env, ATOMIC_LOG_PREBUILD: output, ...variables };
  const script = 'console.log(require("./dist/native.js").addonPath)';
  const used = execFileSync(process.execPath, ['-e', script], { cwd: root, env, encoding: 'utf8' }).trim();
  if (!used.startsWith(output)) throw new Error(`not the addon in ${output} would be tested, but ${used}`);
  const jest = [require.resolve('jest/bin/jest'), ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, jest, { cwd: root, env, stdio: 'inherit' });
  process.exit(status ?? 1);
}
