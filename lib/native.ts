/**
 * The only file that loads the addon: what was built from source on this machine
 * if there is any, otherwise the prebuilt binary that the package brings.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';

import type { NativeAddon } from '../types/native';
import { plainError } from './errors';
import { runsOnMusl } from './libc';
import { version } from './version';

/**
 * Where `build/` and `prebuilds/` are looked for: in the package; beside the code,
 * when a bundler put it into another file; and beside the program, where a single
 * executable application has them. ES modules have no `__dirname`.
 */
function searchedFolders(): readonly string[] {
  const chosen = process.env.ATOMIC_LOG_PREBUILD;
  if (chosen !== undefined && chosen !== '') return [chosen];
  const here = typeof __dirname === 'string' ? __dirname : dirname(process.argv[1] ?? process.execPath);
  return [join(here, '..'), here, dirname(process.execPath)];
}

/** The permission model may forbid to look, and then it is an error. */
function exists(path: string): boolean {
  try {
    return existsSync(path);
  } catch {
    return false;
  }
}

/**
 * Names of files as in node-gyp-build, which tools know. It is not used itself: it
 * takes any addon that it finds, beside a bundle those of other packages too; it
 * knows no musl but Alpine's; and it cannot be loaded under the permission model.
 */
function find(folders: readonly string[], libc: string): string | undefined {
  if (folders[0]?.endsWith('.node')) return folders[0];
  const tag = libc === '' ? '' : `.${libc}`;
  const prebuilt = join('prebuilds', `${process.platform}-${process.arch}`, `atomic-log${tag}.node`);
  const built = join('build', 'Release', 'atomic_log.node');
  return folders.flatMap((folder) => [join(folder, built), join(folder, prebuilt)]).find(exists);
}

function load(): { addon: NativeAddon; path: string } {
  const folders = searchedFolders();
  const libc = process.platform !== 'linux' ? '' : runsOnMusl() ? 'musl' : 'glibc';
  const machine = [process.platform, process.arch, libc].filter((part) => part !== '').join('-');
  const path = find(folders, libc);
  if (path === undefined) {
    throw plainError(
      'ERR_ADDON_UNAVAILABLE',
      `atomic-log has no binary for ${machine}; searched build/Release and prebuilds in ${folders.join(', ')}. ` +
        'Build it with "npx atomic-log build" (needs a C++20 compiler and Python); ' +
        "a bundle needs the package's folder prebuilds beside it",
    );
  }
  // Not require(), which bundles and single executable applications replace.
  const module = { exports: {} as Partial<NativeAddon> };
  try {
    process.dlopen(module, path);
  } catch (error) {
    throw plainError(
      'ERR_ADDON_UNAVAILABLE',
      `atomic-log's binary ${path} does not load on ${machine}; build it from source with "npx atomic-log build"`,
      error,
    );
  }
  if (module.exports.version !== version) {
    throw plainError(
      'ERR_ADDON_UNAVAILABLE',
      `atomic-log ${version} found a binary of ${module.exports.version ?? 'another version'}: ${path}; ` +
        'install the package again, and copy its folder prebuilds anew if a bundle has one beside it',
    );
  }
  return { addon: module.exports as NativeAddon, path };
}

/** The addon, and the file it was loaded from (handles carry it, to tell two copies apart). */
export const { addon, path: addonPath } = load();
addon.setThreadId(threadId);
