// @ts-check

/**
 * @typedef {import('./display.mjs').View} View
 * @typedef {import('../latency.mjs').Percentiles} Percentiles
 * @typedef {{ name: string, perSecond: number, latency: Percentiles, lag: number, lost: number }} Row
 */

const NONE = { perSecond: 0, latency: { p50: null, p99: null }, lag: 0, lost: 0 };

/**
 * A row for each reader, and one for all that get messages: the worst of each figure.
 *
 * @param {Pick<View, 'readers' | 'receivers'>} view
 * @returns {{ readers: Row[], messages: Row | undefined }}
 */
export function rowsOf({ readers, receivers }) {
  const rows = [readers, receivers].map((threads) =>
    threads.map(({ name, report = NONE }) => {
      const { perSecond, latency, lag, lost } = report;
      return { name, perSecond, latency, lag, lost };
    }),
  );
  return { readers: rows[0], messages: rows[1].length === 0 ? undefined : worstOf(rows[1], 'postMessage') };
}

/**
 * @param {readonly Row[]} rows
 * @param {string} name
 * @returns {Row}
 */
function worstOf(rows, name) {
  const most = (/** @type {readonly (number | null)[]} */ values) => {
    const numbers = values.filter((value) => value !== null);
    return numbers.length === 0 ? null : Math.max(...numbers);
  };
  return {
    name,
    perSecond: Math.min(...rows.map(({ perSecond }) => perSecond)),
    latency: {
      p50: most(rows.map(({ latency }) => latency.p50)),
      p99: most(rows.map(({ latency }) => latency.p99)),
    },
    lag: Math.max(...rows.map(({ lag }) => lag)),
    lost: Math.max(...rows.map(({ lost }) => lost)),
  };
}
