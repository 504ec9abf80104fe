import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '../../support/internals';

export const prebuilds = join(packageRoot, 'prebuilds');

/** The prebuilt binaries that there are, as paths in prebuilds/. */
export function binaries(): string[] {
  return readdirSync(prebuilds, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(prebuilds, name)).map((file) => `${name}/${file}`));
}
