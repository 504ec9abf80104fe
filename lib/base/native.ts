/**
 * The only file that loads the addon: what was built from source on this machine
 * if there is any, otherwise the prebuilt binary that the package brings.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { NativeAddon } from '../../types/native';
import { plainError } from './errors';
import { loadRefusal, lookRefusal } from './load-refusals';
import { environmentVariable, runsOnMusl, version } from './runtime';
import { workerThreads } from './threads';

/** The two files of a folder, the better one first. */
function filesIn(folder: string, prebuilt: string): string[] {
  return [join(folder, 'build', 'Release', 'atomic_log.node'), join(folder, 'prebuilds', prebuilt)];
}

/**
 * The package's own files. Spelled out: tools that trace what a program needs
 * (@vercel/nft, @vercel/ncc) take along what such an expression names, and ncc puts
 * another place into it. All of prebuilds: what is traced on one system may run on
 * another. ES modules have no `__dirname`.
 */
function filesOfPackage(prebuilt: string): string[] {
  if (typeof __dirname !== 'string') return [];
  const built = `${__dirname}/../../build/Release/atomic_log.node`;
  const prebuilds = `${__dirname}/../../prebuilds`;
  return [join(built), join(prebuilds, prebuilt)];
}

/**
 * Where the addon is looked for: in the package; above and next to the code, when a
 * bundler put it into another file; and next to the program, where a single
 * executable application has it.
 *
 * Names of files as in node-gyp-build, which tools know. It is not used itself: it
 * takes any addon that it finds, next to a bundle those of other packages too; it
 * knows no musl but Alpine's; and it cannot be loaded under the permission model.
 */
function searchedFiles(libc: string): string[] {
  const tag = libc === '' ? '' : `.${libc}`;
  const prebuilt = join(`${process.platform}-${process.arch}`, `atomic-log${tag}.node`);
  const chosen = environmentVariable('ATOMIC_LOG_PREBUILD');
  if (chosen?.endsWith('.node')) return [chosen];
  if (chosen !== undefined) return filesIn(chosen, prebuilt);
  const program = dirname(process.execPath);
  const code = typeof __dirname === 'string' ? __dirname : dirname(process.argv[1] ?? process.execPath);
  const nearby = [join(code, '..'), code, program].flatMap((folder) => filesIn(folder, prebuilt));
  return [...filesOfPackage(prebuilt), ...nearby];
}

/** Whether the file is there, or the error where the process may not look. */
function look(path: string): boolean | Error {
  try {
    return existsSync(path);
  } catch (error) {
    return error as Error;
  }
}

function find(machine: string, libc: string): string {
  const files = searchedFiles(libc);
  const seen = files.map(look);
  const found = seen.indexOf(true);
  if (found >= 0) return files[found]!;
  // Of the package only: next to the program, looking is hardly ever allowed.
  const hidden = [1, 0].find((i) => typeof seen[i] === 'object');
  if (hidden !== undefined) {
    throw plainError('ERR_ADDON_UNAVAILABLE', lookRefusal(files[hidden]!, seen[hidden]), seen[hidden]);
  }
  throw plainError(
    'ERR_ADDON_UNAVAILABLE',
    `atomic-log has no binary for ${machine}; searched ${files.join(', ')}. ` +
      'Build it with "npx atomic-log build" (needs a C++20 compiler and Python); ' +
      "a bundle needs the package's folder prebuilds next to it",
  );
}

function load(): { addon: NativeAddon; path: string } {
  const libc = process.platform !== 'linux' ? '' : runsOnMusl() ? 'musl' : 'glibc';
  const machine = [process.platform, process.arch, libc].filter((part) => part !== '').join('-');
  const path = find(machine, libc);
  // Not require(), which bundles and single executable applications replace.
  const module = { exports: {} as Partial<NativeAddon> };
  try {
    process.dlopen(module, path);
  } catch (error) {
    throw plainError(
      'ERR_ADDON_UNAVAILABLE',
      loadRefusal(path, error) ??
        `atomic-log's binary ${path} does not load on ${machine}; build it from source with "npx atomic-log build"`,
      error,
    );
  }
  if (module.exports.version !== version) {
    throw plainError(
      'ERR_ADDON_UNAVAILABLE',
      `atomic-log ${version} found a binary of ${module.exports.version ?? 'another version'}: ${path}; ` +
        'install the package again, and copy its folder prebuilds again if a bundle has one next to it',
    );
  }
  return { addon: module.exports as NativeAddon, path };
}

/** The addon, and the file it was loaded from (handles carry it, to tell two copies apart). */
export const { addon, path: addonPath } = load();

let isIntroduced = false;

/** Tells the addon which thread this is; before a log is made or attached to, whose statistics name it. */
export function introduceThread(): void {
  if (isIntroduced) return;
  addon.setThreadId(workerThreads().threadId);
  isIntroduced = true;
}
