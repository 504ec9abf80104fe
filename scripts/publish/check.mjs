// Refuses to publish a package that names a placeholder as its home, whose changelog
// does not have the version, that lacks a binary, has an old one, or lacks the
// licences of what is in them. It says all of it at once.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missing } from '../prebuild/missing.mjs';
import { LICENSES, targets } from '../prebuild/targets.mjs';
import { refusals } from './refusals.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (name) => readFileSync(join(root, name), 'utf8');

const found = refusals(JSON.parse(read('package.json')), read('CHANGELOG.md'));
const names = missing(targets).map(({ name }) => name);
if (!existsSync(join(root, 'prebuilds', LICENSES))) names.push('the licences');
if (names.length > 0)
  found.push(`missing, or older than the sources: ${names.join(', ')}: npm run prebuild:all`);
for (const line of found) console.error(line);
if (found.length > 0) process.exitCode = 1;
