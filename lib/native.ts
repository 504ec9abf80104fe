/**
 * The only file that loads the addon: what was built from source on this machine
 * if there is any, otherwise the prebuilt binary that the package brings.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';

import type { NativeAddon } from '../types/native';
import { plainError } from './errors';
import { runsOnMusl } from './libc';

interface Finder {
  /** The addon below a folder; throws when there is none. */
  resolve(folder: string): string;
}

/**
 * Where `build/` and `prebuilds/` are looked for: in the package; beside the code,
 * when a bundler put it into another file; and beside the program, where a single
 * executable application has them. ES modules have no `__dirname`.
 */
function searchedFolders(): string[] {
  const here = typeof __dirname === 'string' ? __dirname : dirname(process.argv[1] ?? process.execPath);
  return [join(here, '..'), here, dirname(process.execPath)];
}

/** node-gyp-build takes only Alpine for a system with musl. */
function forThisLibc(path: string): string {
  const other = path.replace(/\.glibc\.node$/, '.musl.node');
  return other !== path && process.env.LIBC === undefined && runsOnMusl() && existsSync(other) ? other : path;
}

function find(folders: readonly string[]): string {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- nothing is wrong yet if it fails
  const finder = require('node-gyp-build') as Finder;
  let problem = new Error('there are only addons of other packages');
  for (const folder of folders) {
    try {
      const path = finder.resolve(folder);
      // It takes any addon; beside a bundle there may be those of others.
      if (/^atomic[-_]log\b/.test(basename(path))) return forThisLibc(path);
    } catch (error) {
      problem = error as Error;
    }
  }
  throw problem;
}

function libc(): string {
  return process.platform !== 'linux' ? '' : runsOnMusl() ? ' (musl)' : ' (glibc)';
}

function load(): { addon: NativeAddon; path: string } {
  const folders = searchedFolders();
  let path: string | undefined;
  try {
    path = find(folders);
    // Not require(), which bundles and single executable applications replace.
    const module = { exports: {} as NativeAddon };
    process.dlopen(module, path);
    return { addon: module.exports, path };
  } catch (error) {
    const machine = `${process.platform}-${process.arch}${libc()}`;
    throw plainError(
      'ERR_ADDON_UNAVAILABLE',
      path === undefined
        ? `atomic-log has no binary for ${machine}; searched build/Release and prebuilds in ${folders.join(', ')}. ` +
            'Build it with "npx atomic-log build" (needs a C++20 compiler and Python); a bundle needs ' +
            "the package's folder prebuilds beside it"
        : `atomic-log's binary ${path} does not load on ${machine}; ` +
            'build it from source with "npx atomic-log build"',
      error,
    );
  }
}

/** The addon, and the file it was loaded from (handles carry it, to tell two copies apart). */
export const { addon, path: addonPath } = load();
addon.setThreadId(threadId);
