// Is reading through chunks as fast as reading an ordinary typed array in a
// process that never loaded the addon? Each sample is a child process.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { figure, report, roundsOf } from '../measure.mjs';

const ROUNDS = 9;

function sample(script, type) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return Number(execFileSync(process.execPath, [path, type], { encoding: 'utf8' }));
}

const rows = [];
for (const type of ['f64', 'i32']) {
  const plain = [];
  const chunks = [];
  for (let round = 0; round < roundsOf(ROUNDS); ++round) {
    plain.push(sample('./sum-plain.mjs', type));
    chunks.push(sample('./sum-chunks.mjs', type));
  }
  const ratios = chunks.map((ns, round) => ns / plain[round]);
  rows.push({
    operation: `sum over chunks(), ${type}, per entry`,
    ...figure(chunks, ratios, 'plain loop'),
    target: 1.1,
  });
}
report(rows);
