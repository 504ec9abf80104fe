// What was measured in each round, as benchmarks/samples.json: for those who want to judge for
// themselves. samples.schema.json says what is in it.

/** More are not kept of a row: the first ones. */
const SAMPLES_MAX = 100;

/** Four digits: more would say more than a clock does. */
const rounded = (value) => Number(value.toPrecision(4));
const kept = (values) => values.slice(0, SAMPLES_MAX).map(rounded);

function sampleRow({ topic, operation, entries, readers, way, unit, target, samples }) {
  const name = way === undefined ? { operation } : { entries, readers, way };
  const measured = samples === undefined ? undefined : { ns: kept(samples.ns), ratio: kept(samples.ratio) };
  return {
    topic,
    ...name,
    // The peers are compared with the polled log.
    unit: unit ?? 'polled log',
    target: target ?? null,
    rounds: samples?.ratio.length ?? 0,
    ...(measured ?? { ns: [], ratio: [] }),
  };
}

/**
 * @param {object[]} rows those of the report
 * @param {string[]} disturbed questions with other work just before or after them
 * @param {number} seconds that the run took
 * @param {[string, string][]} conditions of the run
 * @returns {string} JSON, a row in each line
 */
export function samplesReport(rows, disturbed, seconds, conditions) {
  const head = {
    $schema: './samples.schema.json',
    conditions: Object.fromEntries(conditions),
    seconds: rounded(seconds),
    disturbed,
  };
  const lines = rows.map((row) => `    ${JSON.stringify(sampleRow(row))}`);
  return `${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "rows": [\n${lines.join(',\n')}\n  ]\n}\n`;
}
