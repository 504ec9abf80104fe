// What does shared mapping cost beside external memory? The same operations in
// child processes that take turns, each with logs of one mapping only.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { addon, figure, report, roundsOf } from '../measure.mjs';

const ROUNDS = 7;
const child = fileURLToPath(new URL('./shared-operations.mjs', import.meta.url));

const sample = (mapping) =>
  JSON.parse(execFileSync(process.execPath, [child, mapping], { encoding: 'utf8' }));

// Runtimes without external memory have nothing to compare with.
if (addon.canMapExternal()) {
  const rounds = Array.from({ length: roundsOf(ROUNDS) }, () => ({
    external: sample('external'),
    shared: sample('shared'),
  }));
  report(
    Object.keys(rounds[0].shared).map((name) => ({
      operation: `shared mapping: ${name}`,
      ...figure(
        rounds.map(({ shared }) => shared[name]),
        rounds.map(({ shared, external }) => shared[name] / external[name]),
        'external',
      ),
      target: null,
    })),
  );
}
