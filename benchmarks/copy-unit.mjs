/**
 * The unit M: `TypedArray.prototype.set` of the same bytes over a working set as
 * large as the log's.
 *
 * How long a copy takes depends on where source and target lie in a page: loads
 * that seem to follow a store of the same low address bits wait for it, and
 * stores across cache lines cost twice. So M is measured with its best pair of
 * places out of PLACES × PLACES. Any other choice would favour the log.
 */
import { roundsOf, time } from './measure.mjs';

const PAGE = 4096;
/** Offsets in a page: eight over the page, and three inside a cache line. */
const PLACES = [...[0, 1, 2, 3, 4, 5, 6, 7].map((eighth) => (eighth * PAGE) / 8), 16, 32, 48];
const pairs = PLACES.flatMap((source) => PLACES.map((target) => ({ source, target })));

/** Memory for a copy of the array at any offset in a page. */
const roomFor = ({ byteLength }) => new ArrayBuffer(byteLength + PAGE);
const viewOf = ({ constructor, length }, buffer, offset) => new constructor(buffer, offset, length);

/** Runs that copy one set of columns into one target after the other. */
class Copies {
  #columns;
  #sources;
  #targets;

  constructor(columns, targets) {
    this.#columns = columns;
    this.#sources = columns.map(roomFor);
    this.#targets = Array.from({ length: targets }, () => columns.map(roomFor));
  }

  /** All sources begin at one offset of their memory, and all targets at another. */
  at({ source, target }) {
    const sources = this.#columns.map((column, c) => viewOf(column, this.#sources[c], source));
    sources.forEach((view, c) => view.set(this.#columns[c]));
    const targets = this.#targets.map((buffers) =>
      this.#columns.map((column, c) => viewOf(column, buffers[c], target)),
    );
    let next = 0;
    const run = (operations) => {
      for (let i = 0; i < operations; ++i) {
        const views = targets[next];
        for (let c = 0; c < sources.length; ++c) views[c].set(sources[c], 0);
        next = next + 1 === targets.length ? 0 : next + 1;
      }
    };
    return { run, sources, targets };
  }
}

/**
 * The candidate M for `compare()`.
 *
 * @param columns typed arrays; one operation copies all of them
 * @param {{ targets?: number, operations: number, per: number }} options `targets`: how many copies of them the
 *   working set has; by default the 17 retained segments and the one that is recycled
 */
export function bestCopy(columns, { targets = 18, operations, per }) {
  const copies = new Copies(columns, targets);
  const quickest = pairs.map(() => Infinity);
  // The pairs take turns, and the quickest run of each counts: other work only makes a run slower.
  for (let round = 0; round < roundsOf(8); ++round) {
    pairs.forEach((pair, i) => {
      const { run } = copies.at(pair);
      run(targets);
      quickest[i] = Math.min(quickest[i], time(run, 4 * targets));
    });
  }
  return { ...copies.at(pairs[quickest.indexOf(Math.min(...quickest))]), operations, per };
}
