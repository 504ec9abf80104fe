import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from './internals';

function hasCompiler(): boolean {
  if (process.platform === 'win32') return true; // node-gyp looks for it in places of its own
  return spawnSync(process.env.CXX ?? 'c++', ['--version']).status === 0;
}

function newest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  const names = readdirSync(path).filter((name) => name !== 'build' && !name.endsWith('.mjs'));
  return Math.max(0, ...names.map((name) => newest(join(path, name))));
}

/**
 * Builds an addon that uses the installed headers, as its user would; returns the
 * binary. Undefined where there is no compiler, which is said.
 */
export function buildAddon(directory: string, name: string): string | undefined {
  const binary = join(packageRoot, directory, 'build', 'Release', `${name}.node`);
  const sources = ['src-native/include', directory].map((path) => newest(join(packageRoot, path)));
  if (existsSync(binary) && statSync(binary).mtimeMs > Math.max(...sources)) return binary;
  if (!hasCompiler()) {
    console.warn(`no C++ compiler: what needs ${directory} is not tested`);
    return undefined;
  }
  const { status, stderr } = spawnSync(
    process.execPath,
    ['src-native/build.mjs', `--directory=${directory}`, '--loglevel=error'],
    { cwd: packageRoot, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${directory} does not build:\n${stderr}`);
  return binary;
}
