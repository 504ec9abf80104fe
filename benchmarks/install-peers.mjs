// Makes sure that the packages of benchmarks/package.json are there: an ordinary
// install of atomic-log does not bring them.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** Installs what is missing. Without a network it says which rows there will not be. */
export async function installPeers() {
  const names = missing();
  if (names.length === 0) return;
  console.error(`installing ${names.join(', ')} in benchmarks/ ...`);
  const npm = process.env.npm_execpath;
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const options = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0'];
  const shell = npm === undefined && process.platform === 'win32';
  try {
    await promisify(execFile)(command, [...first, ...options], { cwd: here, shell });
  } catch (error) {
    const [reason] = String(error.stderr || error.message).split('\n');
    console.error(
      `without ${names.join(', ')}: "npm ci" in benchmarks/ failed (${reason}); rows are missing`,
    );
  }
}
