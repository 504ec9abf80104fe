// The rows of benchmarks/RESULTS.md, which `npm run bench -- --write` makes: where every figure of
// the documents comes from.

/** The cells of every table, by the title of their column. */
function tablesOf(markdown) {
  const rows = [];
  let titles = null;
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('| ')) titles = null;
    else {
      const cells = line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim());
      if (titles === null) titles = cells;
      else if (!/^-+:?$/.test(cells[0]))
        rows.push(Object.fromEntries(titles.map((title, i) => [title, cells[i]])));
    }
  }
  return rows;
}

const UNITS = { ns: 1, us: 1e3, ms: 1e6 };
const MULTIPLES = { M: 1e6, k: 1e3 };

/** Nanoseconds of '14 ns' or '2.6 us'. */
function nanoseconds(cell) {
  const [, number, unit] = /^([\d.]+) (ns|us|ms)$/.exec(cell) ?? [];
  return number === undefined ? undefined : Number(number) * UNITS[unit];
}

/**
 * @param {string} markdown The text of RESULTS.md.
 * @returns What looks a row up; a row that is not there is an error, so no figure outlives its measurement.
 */
export function resultsOf(markdown) {
  const rows = tablesOf(markdown);
  const conditions = Object.fromEntries(
    [...markdown.matchAll(/^- ([^:\n]+): (.*)$/gm)].map(([, name, value]) => [name, value]),
  );

  /** The one row whose operation is this, whatever note follows in parentheses; `unit` tells two rows apart. */
  function operation(text, unit = '') {
    const found = rows.filter(
      (row) =>
        (row.operation === text || row.operation?.startsWith(`${text} (`)) &&
        row.ratio?.endsWith(unit) === true,
    );
    if (found.length !== 1)
      throw new Error(`RESULTS.md has ${found.length} rows of '${text}'; run npm run bench -- --write`);
    const [row] = found;
    const [ratio, ...words] = row.ratio.split(' ');
    const [, perSecond] = /\(([\d,]+) entries a second/.exec(row.operation) ?? [];
    return {
      ns: nanoseconds(row.time),
      ratio: Number(ratio),
      unit: words.join(' '),
      perSecond: perSecond === undefined ? undefined : Number(perSecond.replaceAll(',', '')),
    };
  }

  /** How a way did with so many readers, next to the other ways. */
  function peer(entries, readers, way) {
    const row = rows.find(
      (row) =>
        row.entries === entries && row.readers === String(readers) && row.way?.replace(/ \(.*/, '') === way,
    );
    if (row === undefined)
      throw new Error(
        `RESULTS.md has no row of '${way}', ${entries}, ${readers} readers; run npm run bench -- --write`,
      );
    const [number, multiple] = row['delivered per second, to each'].split(' ');
    return {
      ns: nanoseconds(row["writer's CPU per entry"]),
      ratio: Number(row.ratio),
      perSecond: Number(number) * MULTIPLES[multiple],
    };
  }

  return { conditions, operation, peer };
}
