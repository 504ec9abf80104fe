/**
 * test/evidence/evidence.json has every promise, mutant, weakened order, operation and error that there
 * is today, and docs/evidence.md says what it says. `npm run evidence -- names` enters what is new.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runModuleInChild } from '../../support/child';
import { textOf } from '../../support/documents';
import { packageRoot } from '../../support/internals';
import { violations } from '../../support/schema';

interface Evidence {
  runs: Record<string, unknown>;
  faults: { run: string; cases: { log: string; operation: string; error: number; result: string }[] };
  crashes: { run: string }[];
  kills: { run: string }[];
  mutants: { log: string; promise: string; name: string; seen?: string | null; run?: string }[];
  model: { name: string; expected: string; seen?: string | null; run?: string }[];
}

const folder = join(packageRoot, 'test/evidence');
const evidence = JSON.parse(readFileSync(join(folder, 'evidence.json'), 'utf8')) as Evidence;
const STALE = 'npm run evidence -- names';

test('the evidence is as its schema says, and each run that is named is there', () => {
  expect(violations(join(folder, 'evidence.schema.json'), evidence)).toEqual([]);
  const { faults, crashes, kills, mutants, model } = evidence;
  const named = [faults, ...crashes, ...kills, ...mutants, ...model].flatMap(({ run }) => run ?? []);
  expect([...new Set(named)].sort()).toEqual(Object.keys(evidence.runs).sort());
});

test('it has the mutants and the weakened orders of today, and no others', () => {
  const lists = pathToFileURL(join(packageRoot, 'scripts/evidence/lists.mjs')).href;
  const printed = runModuleInChild(`import { mutants, weakenings } from '${lists}';
    console.log(JSON.stringify({ mutants, weakenings }));`);
  const { mutants, weakenings } = JSON.parse(printed) as {
    mutants: Evidence['mutants'];
    weakenings: Evidence['model'];
  };
  const nameOf = ({ log, promise, name }: Evidence['mutants'][number]) => `${log} ${promise} ${name}`;
  expect({ [STALE]: evidence.mutants.map(nameOf) }).toEqual({ [STALE]: mutants.map(nameOf) });
  const kindOf = ({ name, expected }: Evidence['model'][number]) => `${name}: ${expected}`;
  expect({ [STALE]: evidence.model.map(kindOf) }).toEqual({ [STALE]: weakenings.map(kindOf) });
});

test('what was run was noticed, where it must be', () => {
  const missed = evidence.mutants.filter(({ seen }) => seen === null);
  expect(missed.map(({ name }) => name)).toEqual([]);
  const unexpected = evidence.model.filter(
    ({ expected, seen }) => seen !== undefined && (seen !== null) !== (expected === 'caught'),
  );
  expect(unexpected.map(({ name }) => name)).toEqual([]);
});

test('what was seen elsewhere is merged: verdicts that are new or later, and each run once', () => {
  const merge = pathToFileURL(join(packageRoot, 'scripts/evidence/merge.mjs')).href;
  const printed = runModuleInChild(`import { mergeEvidence, withoutUnused } from '${merge}';
    const of = (date) => ({ date, commit: date });
    const mutant = (name, more) => ({ log: 'wal', promise: 'G1', name, ...more });
    const crash = (run, seed) => ({ run, seed, states: 10 });
    const own = {
      runs: { r4: of('2026-01-02') },
      mutants: [mutant('old', { seen: 'own', run: 'r4' }), mutant('late', { seen: 'own', run: 'r4' }), mutant('new')],
      model: [{ name: 'order' }],
      crashes: [crash('r4', 1)],
      kills: [],
    };
    const other = {
      runs: { r1: of('2026-01-01'), r2: of('2026-01-02'), r3: of('2026-01-03') },
      mutants: [
        mutant('old', { seen: 'other', run: 'r1' }),
        mutant('late', { seen: 'other', run: 'r3' }),
        mutant('new', { seen: null, run: 'r1' }),
        mutant('gone', { seen: 'other', run: 'r1' }),
      ],
      model: [{ name: 'order', seen: 'race', run: 'r2' }],
      crashes: [crash('r2', 1), crash('r2', 2)],
      kills: [],
      faults: { run: 'r3', cases: [] },
    };
    mergeEvidence(own, other);
    mergeEvidence(own, other);
    console.log(JSON.stringify(withoutUnused(own)));`);
  const { runs, mutants, model, crashes, faults } = JSON.parse(printed) as Evidence;
  const dateOf = (run?: string) => run && (runs[run] as { date: string }).date;
  expect(mutants.map(({ name, seen, run }) => [name, seen, dateOf(run)])).toEqual([
    ['old', 'own', '2026-01-02'],
    ['late', 'other', '2026-01-03'],
    ['new', null, '2026-01-01'],
  ]);
  expect(model.map(({ seen, run }) => [seen, dateOf(run)])).toEqual([['race', '2026-01-02']]);
  expect(crashes).toMatchObject([{ seed: 1 }, { seed: 2 }]);
  expect(dateOf(faults.run)).toBe('2026-01-03');
  expect(Object.keys(runs).length).toBe(3);
});

test('every operation of the file system met every error', () => {
  const simulated = readFileSync(join(packageRoot, 'test/native/support/simulated_file_system.cc'), 'utf8');
  const operations = new Set([...simulated.matchAll(/\b(?:begin|sync)\("(\w+)"/g)].map(([, name]) => name!));
  const codes = readFileSync(join(packageRoot, 'src-native/core/platform/io_status.h'), 'utf8');
  const errors = [...codes.matchAll(/^ {2}k(\w+) = (\d+),/gm)]
    .filter(([, name]) => name !== 'Ok' && name !== 'NoThread')
    .map(([, , number]) => Number(number));
  const met = new Map<string, Set<number>>();
  const names = new Set<string>();
  for (const { log, operation, error } of evidence.faults.cases) {
    const key = `${log}: ${operation}`;
    met.set(key, (met.get(key) ?? new Set()).add(error));
    names.add(operation);
  }
  // Cursors and copies do these, which other tests let fail.
  const elsewhere = ['link', 'make_directory', 'remove_directory', 'is_locked'];
  expect([...names, ...elsewhere].sort()).toEqual([...operations].sort());
  for (const [operation, own] of met) {
    expect({ [operation]: [...own].sort() }).toEqual({ [operation]: [...errors].sort() });
  }
});

test('the page has every promise, and says what the evidence says', () => {
  const promises = [...textOf('docs/durability.md').matchAll(/^\| (G\d+) +\|/gm)].map(([, id]) => id!);
  const shown = [...textOf('docs/evidence.md').matchAll(/^\| (G\d+) +\|/gm)].map(([, id]) => id!);
  expect(shown).toEqual(expect.arrayContaining(promises));
  const { status, stderr } = spawnSync(process.execPath, ['scripts/documents/write.mjs', '--check'], {
    cwd: packageRoot,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
