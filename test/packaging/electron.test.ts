// The logic of examples/electron, from the installed package. Electron itself is
// not needed: Node runs it with the memory that Electron's sandbox demands.
import { cpSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '../support/internals';
import { installedProject, run } from './support/project';

interface Statistics {
  readonly entries: number;
  readonly mean: number;
  readonly mapping: string;
}

interface Outcome {
  readonly mapping: string;
  readonly entries: number;
  readonly worker: Statistics;
  readonly utility: Statistics;
  readonly renderer: { readonly entries: number };
}

test.each(['shared', 'external'])(
  'workers, utility process and renderer get every entry: %s',
  async (mapping) => {
    const project = await installedProject();
    cpSync(join(packageRoot, 'examples', 'electron', 'src'), join(project, 'src'), { recursive: true });
    const variables = { ATOMIC_LOG_MAPPING: mapping };
    const output = await run(project, process.execPath, [join('src', 'under-node.cjs')], variables);
    const outcome = JSON.parse(output) as Outcome;
    expect(outcome.mapping).toBe(mapping);
    expect(outcome.entries).toBeGreaterThan(10);
    for (const { entries, mean, mapping: mapped } of [outcome.worker, outcome.utility]) {
      expect(entries).toBe(outcome.entries);
      expect(mean).toBeGreaterThan(0);
      expect(mean).toBeLessThan(1);
      expect(mapped).toBe(mapping);
    }
    expect(outcome.renderer.entries).toBe(outcome.entries);
  },
);
