/**
 * The only file that loads the addon: a prebuilt binary when the package brings
 * one for this machine, otherwise what was built from source.
 */
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

import type { NativeAddon } from '../types/native';
import { plainError } from './errors';

type Loader = ((directory: string) => NativeAddon) & { resolve(directory: string): string };

const packageRoot = join(__dirname, '..');

function load(): { addon: NativeAddon; path: string } {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- it chooses at run time
    const loader = require('node-gyp-build') as Loader;
    return { addon: loader(packageRoot), path: loader.resolve(packageRoot) };
  } catch (error) {
    throw plainError(
      'ERR_ADDON_UNAVAILABLE',
      `atomic-log has no binary for ${process.platform}-${process.arch} that loads here; ` +
        `build it with "npm run build:native" in ${packageRoot}`,
      error,
    );
  }
}

/** The addon, and the file it was loaded from (handles carry it, to tell two copies apart). */
export const { addon, path: addonPath } = load();
addon.setThreadId(threadId);
