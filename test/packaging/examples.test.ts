// The examples, next to the installed package: they use nothing that only this repository has.
import { cpSync, symlinkSync } from 'node:fs';
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
import { installedProject } from './support/project';

let place: Place;
beforeAll(async () => {
  const directory = await installedProject();
  const examples = join(directory, 'examples');
  for (const name of ['chart', 'http-journal', 'market-hub', 'metrics', 'projections']) {
    cpSync(join(packageRoot, 'examples', name), join(examples, name), { recursive: true });
  }
  // What else they import, with its own dependencies where those are.
  for (const name of ['autocannon', 'fastify', 'ws']) {
    symlinkSync(join(packageRoot, 'node_modules', name), join(directory, 'node_modules', name), 'junction');
  }
  place = { examples, directory };
});
afterEach(endExamples);

test('market hub', () => checkMarketHub(place));
test('metrics', () => checkMetrics(place));
test('projections', () => checkProjections(place));
test('HTTP journal', () => checkHttpJournal(place, 1));
test('chart', () => checkChart(place));
