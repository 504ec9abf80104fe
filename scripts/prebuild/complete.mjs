// Refuses to publish a package that lacks a binary, has an old one, or lacks the
// licences of what is in them.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missing } from './missing.mjs';
import { LICENSES, targets } from './targets.mjs';

const prebuilds = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'prebuilds');
const names = missing(targets).map(({ name }) => name);
if (!existsSync(join(prebuilds, LICENSES))) names.push('the licences');
if (names.length > 0) {
  console.error(`missing, or older than the sources: ${names.join(', ')}: npm run prebuild:all`);
  process.exitCode = 1;
}
