// This checkout beside another one, built: each question is asked of both in turn,
// by each one's own scripts, since names may differ. Rows belong together whose
// text is the same but for numbers in it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { quantile } from './measure.mjs';

/** What a row measures, in the same words in both checkouts: figures in its text differ from run to run. */
const nameOf = ({ operation, way, entries, readers }) =>
  [operation, way, entries, readers && `${readers} readers`]
    .filter(Boolean)
    .join(', ')
    .replaceAll(/[\d.]+(?= E|x| wake-ups| waits| entries)/g, '…');

/**
 * @param {(path: string) => Promise<{ ns?: number, ratio: number }[]>} ask runs a question's script
 * @returns {Promise<{ name: string, ns: number, ratios: number[] }[]>} this checkout's time divided by the other's, a
 *   ratio for each round
 */
export async function compareCheckouts(questions, other, rounds, ask) {
  const found = new Map();
  for (const question of questions) {
    const theirs = join(other, 'benchmarks', question.topic, `${question.name}.mjs`);
    if (!existsSync(theirs)) continue;
    for (let round = 0; round < rounds; ++round) {
      // Who comes first takes turns too.
      const paths = round % 2 === 0 ? [question.path, theirs] : [theirs, question.path];
      const answers = new Map();
      for (const path of paths) answers.set(path, await ask(path));
      const before = new Map(answers.get(theirs).map((row) => [nameOf(row), row]));
      for (const row of answers.get(question.path)) {
        const name = nameOf(row);
        const old = before.get(name);
        if (row.ns === undefined || old?.ns === undefined) continue;
        if (!found.has(name)) found.set(name, { name, ns: [], ratios: [] });
        const { ns, ratios } = found.get(name);
        ns.push(row.ns);
        ratios.push(row.ns / old.ns);
      }
    }
  }
  return [...found.values()].map(({ name, ns, ratios }) => ({ name, ns: quantile(ns, 0.5), ratios }));
}

export function againstReport(rows, other) {
  const table = new Table({
    head: ['operation', 'time here', `ratio to ${other}`, 'quartiles'],
    colWidths: [60, 12, 24, 18],
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  for (const { name, ns, ratios } of rows) {
    const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q).toFixed(2));
    table.push([name, `${ns < 1000 ? ns.toFixed(2) : ns.toFixed(0)} ns`, middle, `${low} - ${high}`]);
  }
  return table.toString();
}
