// The addon in a process: it stays, and another copy of it does no harm.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expectReport, installedProject, run } from './support/project';

// Node unloads an addon with the last worker that loaded it, while finalizers and
// threads may still be about to run its code. The script looks in /proc/self/maps, so it runs on Linux only.
(process.platform === 'linux' ? test : test.skip)('stays loaded when its last worker has ended', async () => {
  const project = await installedProject();
  const output = await run(project, process.execPath, ['stays-loaded.cjs']);
  expect(JSON.parse(output)).toEqual([false, true, true]);
});

// std::random_device of the library that the binary brings opens a file, and ends the process where it cannot.
(process.platform === 'linux' ? test : test.skip)('makes a log where no descriptor is left', async () => {
  const project = await installedProject();
  const limited = ['-c', 'ulimit -n 100 && exec "$0" "$@"', process.execPath, 'no-descriptors.cjs'];
  expect(JSON.parse(await run(project, 'sh', limited))).toEqual([true, 7]);
});

test('workers may be the only ones to load it, one after the other', async () => {
  const project = await installedProject();
  for (let round = 0; round < 3; ++round) {
    expectReport(await run(project, process.execPath, ['worker-only.cjs']), project);
  }
});

test('two versions in one process leave each other alone, and refuse handles of the other', async () => {
  const project = await installedProject();
  const modules = join(project, 'node_modules');
  cpSync(join(modules, 'atomic-log'), join(modules, 'other-log'), { recursive: true });
  const manifest = join(modules, 'other-log', 'package.json');
  const text = readFileSync(manifest, 'utf8').replace(/"version": "[^"]*"/, '"version": "0.0.1"');
  writeFileSync(manifest, text.replace('"name": "atomic-log"', '"name": "other-log"'));
  expectReport(await run(project, process.execPath, ['two-copies.cjs']), project);
});
