/**
 * `atomic-log build`: compiles the addon into the installed package, for a
 * machine that it brings no binary for. Installing never does that by itself.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

/** What building needs and using does not; the versions are those of development. */
const tools = ['node-gyp', 'node-addon-api'];

function missingTools(): string[] {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const { resolve } = createRequire(join(root, 'package.json'));
  return tools.flatMap((name) => {
    const version = devDependencies[name]!;
    try {
      resolve(`${name}/package.json`);
      return [];
    } catch {
      // Not a range: the shell of Windows would take the caret for its own.
      return [`${name}@${version.replace(/^\D+/, '')}`];
    }
  });
}

/** Runs a program with its output shown; returns its exit status. */
function run(program: string, args: readonly string[]): number {
  const { error, status } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    // npm is a batch file there, which only the shell starts.
    shell: process.platform === 'win32' && program === 'npm',
  });
  if (error !== undefined) process.stderr.write(`${program}: ${error.message}\n`);
  return status ?? 1;
}

export function build(args: readonly string[]): number {
  const missing = missingTools();
  if (missing.length > 0) {
    process.stdout.write(`installing ${missing.join(' ')} into ${root}\n`);
    const flags = [
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--omit=dev',
      '--no-audit',
      '--no-fund',
    ];
    const status = run('npm', ['install', ...flags, ...missing]);
    if (status !== 0) return status;
  }
  // A package with a binding.gyp would be compiled by npm on every installation,
  // so the published one has it elsewhere, and here only during the build.
  const project = join(root, 'binding.gyp');
  const packed = !existsSync(project);
  try {
    if (packed) copyFileSync(join(root, 'src-native', 'addon.gyp'), project);
    return run(process.execPath, [join(root, 'scripts', 'build-addon.mjs'), ...args]);
  } finally {
    if (packed) rmSync(project, { force: true });
  }
}
