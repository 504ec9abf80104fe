import { join } from 'node:path';

import type { NativeAddon } from '../../types/native';

export const packageRoot = join(__dirname, '..', '..');

/** Loads a file of the built package that its exports do not show. */
export function requireInternal<T>(name: string): T {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the built files have no types
  return require(join(packageRoot, 'dist', name)) as T;
}

/** The addon that the package under test has loaded. */
export const { addon, addonPath } = requireInternal<{ addon: NativeAddon; addonPath: string }>(
  'base/native.js',
);
