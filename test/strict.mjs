// Runs the jest suite with strict views in every log: `npm run test:strict`.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const { status } = spawnSync(process.execPath, [jest, ...process.argv.slice(2)], {
  env: { ...process.env, ATOMIC_LOG_STRICT_VIEWS: '1' },
  stdio: 'inherit',
});
process.exit(status ?? 1);
