// Builds the addon from source into build/Release with node-gyp, compiling only
// what a change since the last build makes old.
//
//   node scripts/build-addon.mjs [--full] [arguments of node-gyp] [-- arguments of gyp]
//
//   changed since the last build                       what is done
//   Node, the compiler, a package that is compiled     everything again
//     in, arguments (`-- -Dsanitize=1`), CFLAGS ...
//   binding.gyp, the list of sources, the version      configured, then as below
//   a source or a header                               make compiles what uses it
//
// Everything is built where nothing was built yet, with --full, and where
// the environment variable CI is set. What the last build was made from is kept
// in build/made-from.json.
//
// node-gyp would download Node's headers; those of the running Node usually
// stand next to it, so they are used where they are found.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nodedir = dirname(dirname(process.execPath));
const require = createRequire(import.meta.url);
const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');

/** Of the environment, what node-gyp, gyp and the compilers heed. */
const heeded =
  /^((C|CPP|CXX|LD)FLAGS|CC|CXX|LD|AR|LINK|GYP_\w+|npm_config_(nodedir|target|arch|runtime|disturl|debug)|npm_package_config_node_gyp_\w+)$/i;

const given = process.argv.slice(2);
const isFull = given.includes('--full') || Boolean(process.env.CI);
const args = given.filter((arg) => arg !== '--full');
const split = args.includes('--') ? args.indexOf('--') : args.length;
const options = args.slice(0, split);
const gypArguments = args.slice(split);
if (existsSync(join(nodedir, 'include', 'node', 'node_api.h'))) options.push(`--nodedir=${nodedir}`);

const directory = resolve(root, options.find((arg) => arg.startsWith('--directory='))?.slice(12) ?? '.');
const record = join(directory, 'build', 'made-from.json');

const hashOf = (text) => createHash('sha256').update(text).digest('hex');
const versionOf = (name) => require(`${name}/package.json`).version;

/** A program's output; its failure is part of it. */
function output(program, programArguments) {
  const { stdout, status, error } = spawnSync(program, programArguments, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return error === undefined ? `${status} ${stdout}` : String(error);
}

/** What every object depends on, and make does not see or sees by times that mean nothing. */
function toolsOf() {
  return JSON.stringify({
    node: [process.execPath, process.version, process.arch],
    packages: [versionOf('node-gyp'), versionOf('node-addon-api')],
    zstd: hashOf(readFileSync(join(root, 'scripts', 'zstd', 'package-lock.json'))),
    compiler: process.platform === 'win32' ? '' : output(process.env.CXX ?? 'c++', ['--version']),
    arguments: [...options, ...gypArguments].filter((arg) => !arg.startsWith('--loglevel')),
    environment: Object.entries(process.env)
      .filter(([name]) => heeded.test(name))
      .sort(),
  });
}

/** What the project is configured from. */
function projectOf() {
  return hashOf(
    readFileSync(join(directory, 'binding.gyp')) +
      require(join(root, 'package.json')).version +
      output(process.execPath, [join('scripts', 'zstd.mjs'), 'sources']),
  );
}

/** The hash of each source and header. */
function sourcesOf() {
  const folders = [join(root, 'src-native'), directory === root ? [] : directory].flat();
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .filter((name) => /\.(cc|c|h)$/.test(name) && !/^(build|node_modules)[\\/]/.test(name))
      .map((name) => join(folder, name)),
  );
  return Object.fromEntries(files.map((file) => [file, hashOf(readFileSync(file))]));
}

function lastBuild() {
  try {
    return JSON.parse(readFileSync(record, 'utf8'));
  } catch {
    return undefined;
  }
}

function run(command, commandArguments) {
  const { error, status } = spawnSync(process.execPath, [nodeGyp, command, ...commandArguments], {
    cwd: root,
    stdio: 'inherit',
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * make goes by times. A file whose content is another one, but no newer than the
 * last build (it was moved or unpacked to where it is), is given the time of now.
 */
function touchChanged(last, sources) {
  const now = new Date();
  for (const [file, hash] of Object.entries(sources)) {
    const isOlder = statSync(file).mtimeMs <= last.time;
    if (isOlder && hash !== last.sources[file]) utimesSync(file, now, now);
  }
}

// Before gyp, which asks no registry.
output(process.execPath, [join('scripts', 'zstd.mjs'), 'fetch']);
const tools = toolsOf();
const project = projectOf();
const sources = sourcesOf();
const last = isFull ? undefined : lastBuild();
const time = Date.now();
const jobs = '--jobs=max';
if (last === undefined || last.tools !== tools) {
  run('rebuild', [jobs, ...options, ...gypArguments]);
} else {
  touchChanged(last, sources);
  if (last.project !== project) run('configure', [...options, ...gypArguments]);
  run('build', [jobs, ...options]);
}

// What make found to be new is new: the tests compare the binary's time with those of its sources.
const release = join(directory, 'build', 'Release');
for (const name of existsSync(release) ? readdirSync(release) : []) {
  if (name.endsWith('.node')) utimesSync(join(release, name), new Date(), new Date());
}
writeFileSync(record, JSON.stringify({ tools, project, sources, time }));
