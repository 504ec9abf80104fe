// Brings together what was seen in several places.
import { keyOfMutant } from './lists.mjs';

/** The name of a run in the evidence, which has it after this. */
export function runNamed({ runs }, run) {
  const text = JSON.stringify(run);
  const found = Object.entries(runs).find(([, old]) => JSON.stringify(old) === text);
  if (found !== undefined) return found[0];
  const last = Math.max(0, ...Object.keys(runs).map((name) => Number(name.slice(1))));
  runs[`r${last + 1}`] = run;
  return `r${last + 1}`;
}

/** Without the runs that nothing names any more. */
export function withoutUnused(evidence) {
  const { runs, faults, mutants, model, crashes, kills } = evidence;
  const used = new Set([faults, ...mutants, ...model, ...crashes, ...kills].map((one) => one?.run));
  return { ...evidence, runs: Object.fromEntries(Object.entries(runs).filter(([name]) => used.has(name))) };
}

/**
 * Enters what the other has: verdicts that are not known, or of an earlier day than the other's, and each run of crashes
 * and kills once. What is in no list of today is left out.
 */
export function mergeEvidence(evidence, other) {
  const named = (entry) => ({ ...entry, run: runNamed(evidence, other.runs[entry.run]) });
  const isLater = (entry, old) =>
    old?.run === undefined || other.runs[entry.run].date > evidence.runs[old.run].date;

  for (const [list, keyOf] of [
    ['mutants', keyOfMutant],
    ['model', ({ name }) => name],
  ]) {
    const found = new Map(other[list].filter(({ run }) => run !== undefined).map((one) => [keyOf(one), one]));
    for (const entry of evidence[list]) {
      const one = found.get(keyOf(entry));
      if (one !== undefined && isLater(one, entry))
        Object.assign(entry, named({ run: one.run, seen: one.seen }));
    }
  }
  for (const list of ['crashes', 'kills']) {
    const known = new Set(evidence[list].map((entry) => JSON.stringify(entry)));
    for (const entry of other[list].map(named)) {
      if (!known.has(JSON.stringify(entry))) evidence[list].push(entry);
    }
  }
  if (other.faults !== undefined && isLater(other.faults, evidence.faults))
    evidence.faults = named(other.faults);
}
