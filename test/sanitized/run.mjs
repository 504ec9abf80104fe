// Runs the jest suite against an addon that is built with AddressSanitizer and
// UndefinedBehaviorSanitizer: `npm run test:sanitized -- [jest arguments]`.
// Needs g++ on Linux. The build stands apart from the ordinary one.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const require = createRequire(import.meta.url);
const output = join(root, 'build', 'sanitized');

function sources(directory) {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return sources(path);
    return path.endsWith('.cc') ? [path] : [];
  });
}

function build() {
  const directory = join(output, 'build', 'Release');
  mkdirSync(directory, { recursive: true });
  // node-gyp-build looks for the package's name beside the binary.
  copyFileSync(join(root, 'package.json'), join(output, 'package.json'));
  const flags = [
    '-std=c++20',
    '-O1',
    '-g',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=undefined',
    '-fno-omit-frame-pointer',
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
  const files = [...sources('src-native/binding'), ...sources('src-native/core')];
  const target = join(directory, 'atomic_log.node');
  execFileSync('g++', [...flags, ...files, '-o', target, '-ldl'], { cwd: root, stdio: 'inherit' });
}

function library(name) {
  return execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
}

build();
const env = {
  ...process.env,
  ATOMIC_LOG_PREBUILD: output,
  LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
  // Node leaves memory to the system at its end; leaks are hunted by tests that
  // watch resident memory.
  ASAN_OPTIONS: 'detect_leaks=0',
};

const script = 'console.log(require("./dist/native.js").addonPath)';
const used = execFileSync(process.execPath, ['-e', script], { cwd: root, env, encoding: 'utf8' }).trim();
if (!used.startsWith(output)) throw new Error(`the sanitized addon is not what would be tested, but ${used}`);

const jest = [require.resolve('jest/bin/jest'), ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, jest, { cwd: root, env, stdio: 'inherit' });
process.exit(status ?? 1);
