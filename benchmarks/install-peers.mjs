// Makes sure that the packages of benchmarks/package.json are there: an ordinary
// install of atomic-log does not bring them.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const manifestOf = (name) => join(here, 'node_modules', name, 'package.json');

/** Packages that are missing, or there in another version than the one that is asked for. */
function missing() {
  const { dependencies } = readJson(join(here, 'package.json'));
  return Object.keys(dependencies).filter(
    (name) => !existsSync(manifestOf(name)) || readJson(manifestOf(name)).version !== dependencies[name],
  );
}

/** Names and versions of the peers that are there. */
export function installedPeers() {
  const { dependencies } = readJson(join(here, 'package.json'));
  return Object.keys(dependencies)
    .filter((name) => existsSync(manifestOf(name)))
    .map((name) => `${name} ${readJson(manifestOf(name)).version}`);
}

/** Runs npm in this folder, with the headers of this Node where they are beside it. */
function npm(...args) {
  const path = process.env.npm_execpath;
  const [command, first] = path === undefined ? ['npm', []] : [process.execPath, [path]];
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include', 'node', 'node.h')) ? { npm_config_nodedir: prefix } : {};
  return promisify(execFile)(command, [...first, ...args], {
    cwd: here,
    env: { ...process.env, ...headers },
    shell: path === undefined && process.platform === 'win32',
  });
}

function whyItFailed({ stderr, message }) {
  const lines = String(stderr || message).split('\n');
  return (lines.find((line) => line.startsWith('npm error')) ?? lines[0]).replace(/^npm error /, '');
}

/**
 * Installs what is missing, and compiles what comes without a binary for this
 * machine unless `compile` is false. Without a network it says which rows there
 * will not be.
 */
export async function installPeers({ compile }) {
  const names = missing();
  if (names.length > 0) {
    console.error(`installing ${names.join(', ')} in benchmarks/ ...`);
    try {
      await npm('ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0');
    } catch (error) {
      const reason = whyItFailed(error);
      console.error(`without ${names.join(', ')}: "npm ci" in benchmarks/ failed (${reason})`);
      return;
    }
  }
  // The only one that brings no binary in its package.
  if (!compile || existsSync(join(here, 'node_modules', 'better-sqlite3', 'build', 'Release'))) return;
  console.error('compiling better-sqlite3 ...');
  try {
    await npm('rebuild', 'better-sqlite3');
  } catch (error) {
    console.error(`without better-sqlite3: "npm rebuild" in benchmarks/ failed (${whyItFailed(error)})`);
  }
}
