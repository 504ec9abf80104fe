// Makes the pictures of the dashboard in docs/images anew: `npm run docs:pictures`. The test of the
// dashboard takes them, of what it has just checked.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
const { status } = spawnSync(
  process.execPath,
  [jest, 'test/unit/documents/dashboard', '--testNamePattern', 'plots'],
  { cwd: root, stdio: 'inherit', env: { ...process.env, DASHBOARD_PICTURES: join('docs', 'images') } },
);
process.exitCode = status ?? 1;
