// Refuses to publish a package that lacks a binary, or the licences of what is in them.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LICENSES, targets } from './targets.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const prebuilds = join(here, '..', '..', 'prebuilds');
const files = [...targets, { name: 'the licences', file: LICENSES }];
const missing = files.filter(({ file }) => !existsSync(join(prebuilds, file)));
if (missing.length > 0) {
  console.error(`not there: ${missing.map(({ name }) => name).join(', ')}: npm run prebuild:all`);
  process.exitCode = 1;
}
