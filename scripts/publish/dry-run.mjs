// Publishes the package to nowhere: what npm would refuse or silently correct in it is
// an error here. Scripts do not run, or scripts/publish/check.mjs would ask for all the
// binaries; and no registry is asked, for which every version after the first is taken.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before } from './pack.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const NOWHERE = ['--registry=http://127.0.0.1:9/', '--fetch-retries=0'];

before();
try {
  const { status, stderr } = spawnSync('npm', ['publish', '--dry-run', '--ignore-scripts', ...NOWHERE], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  const corrected = /npm warn publish .*(corrected|errors)/i.test(stderr);
  if (status !== 0 || corrected) {
    console.error(stderr.replace(/^npm notice.*\n/gm, ''));
    process.exitCode = 1;
  }
} finally {
  after();
}
