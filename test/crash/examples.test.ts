// The examples, each of which is a small real program.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
import { runtime } from '../support/runtime';
import { sized } from '../support/sizes';

const KILLS = sized('JOURNAL_KILLS', { small: 1, long: 20 });

afterEach(endExamples);
const directory = mkdtempSync(join(tmpdir(), 'atomic-log-examples-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const place: Place = { examples: join(packageRoot, 'examples'), directory };

// They are made for Node.js; fastify and ws are others elsewhere.
const onNode = runtime === 'node' ? test : test.skip;

onNode('market hub: strategies see every tick, a slow reader hears what it lost', () =>
  checkMarketHub(place),
);
onNode('metrics: the agent answers while the service is busy', () => checkMetrics(place));
onNode('projections: one that is killed counts each event once', () => checkProjections(place));
onNode('HTTP journal: killed under load, nothing that was acknowledged is missing', () =>
  checkHttpJournal(place, KILLS),
);
onNode('chart: each client gets the points in order', () => checkChart(place));
