// The examples that the installed package has, run from there: they use nothing that only this repository has.
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import {
  checkChart,
  checkHttpJournal,
  checkMarketHub,
  checkMetrics,
  checkProjections,
  endExamples,
  type Place,
} from '../support/examples';
import { packageRoot } from '../support/internals';
import { describeWith } from '../support/servers';
import { installedProject, run } from './support/project';

/** What else they import, with its own dependencies where those are. */
const PACKAGES = ['autocannon', 'fastify', 'ws', '@nats-io/jetstream', '@nats-io/transport-node'];

let place: Place;
beforeAll(async () => {
  const directory = await installedProject();
  mkdirSync(join(directory, 'node_modules', '@nats-io'));
  for (const name of PACKAGES) {
    symlinkSync(join(packageRoot, 'node_modules', name), join(directory, 'node_modules', name), 'junction');
  }
  place = { examples: join(directory, 'node_modules', 'atomic-log', 'examples'), directory };
});
afterEach(endExamples);

test('market hub', () => checkMarketHub(place));
test('metrics', () => checkMetrics(place));
test('projections', () => checkProjections(place));
test('HTTP journal', () => checkHttpJournal(place, 1));
test('chart', () => checkChart(place));

describeWith('nats-server', [])('with a server of NATS', () => {
  test('replicated', async () => {
    const output = await run(place.directory, process.execPath, [
      join(place.examples, 'replicated', 'main.mjs'),
      '--seconds',
      '1',
    ]);
    expect(output).toMatch(/each reader has all [\d,]+ entries, once and in order; 0 kills\n$/);
  });
});
