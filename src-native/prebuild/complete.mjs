// Refuses to publish a package that lacks a binary.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { targets } from './targets.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const prebuilds = join(here, '..', '..', 'prebuilds');
const missing = targets.filter(({ file }) => !existsSync(join(prebuilds, file)));
if (missing.length > 0) {
  console.error(`no binary for ${missing.map(({ name }) => name).join(', ')}: npm run prebuild:all`);
  process.exitCode = 1;
}
