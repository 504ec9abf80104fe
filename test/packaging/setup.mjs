// Makes what the tests install: the packed package, served by a registry of its
// own, and the tools that install and bundle them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPinned } from '../../scripts/prebuild/pinned-packages.mjs';
import { after, before } from '../../scripts/publish/pack.mjs';
import { serve } from './support/registry.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');

/** Packs without running scripts: what `npm publish` builds first is there already. */
function pack(directory, destination) {
  const args = ['pack', '--json', '--ignore-scripts', `--pack-destination=${destination}`];
  const [{ filename }] = JSON.parse(execFileSync('npm', args, { cwd: directory, encoding: 'utf8' }));
  return join(destination, filename);
}

export default async function setup() {
  const tools = installPinned('packaging', join(here, 'tools'));
  const folder = mkdtempSync(join(tmpdir(), 'atomic-log-packaging-'));
  execFileSync('npm', ['run', '-s', 'build:lib'], { cwd: root, shell: process.platform === 'win32' });
  before();
  const tarball = pack(root, folder);
  after();
  const registry = await serve([tarball]);
  globalThis.packaging = { registry, folder };
  process.env.PACKAGING = JSON.stringify({ folder, tarball, tools, registry: registry.url });
}
