// @ts-check
// Plots of block characters: a bar, a line of history, an area. All are as wide as they are asked to be.

const EIGHTHS_RIGHT = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const EIGHTHS_UP = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/**
 * @param {number} share From 0 to 1; more than nothing shows as something.
 * @param {number} width
 * @returns {string}
 */
export function bar(share, width) {
  const eighths = share > 0 ? Math.max(1, Math.round(Math.min(1, share) * width * 8)) : 0;
  return ('█'.repeat(eighths >> 3) + EIGHTHS_RIGHT[eighths & 7]).padEnd(width);
}

/**
 * The last values, the newest at the right. NaN and null leave a gap. The scale is logarithmic, as is that of latencies.
 *
 * @param {readonly (number | null)[]} values
 * @param {number} min Shows as the lowest block.
 * @param {number} max Shows as the highest block.
 * @param {number} width
 * @returns {string}
 */
export function history(values, min, max, width) {
  const span = Math.log(max / min) || 1;
  const blocks = values.slice(-width).map((value) => {
    if (value === null || Number.isNaN(value)) return ' ';
    const share = Math.log(Math.max(min, value) / min) / span;
    return EIGHTHS_UP[1 + Math.round(7 * Math.min(1, share))];
  });
  return blocks.join('').padStart(width);
}

/**
 * Lines of an area below the values, from the highest to the lowest. The lowest value has a block, too.
 *
 * @param {readonly number[]} values One for each column; NaN leaves a gap.
 * @param {number} height
 * @returns {{ lines: string[], min: number, max: number }}
 */
export function area(values, height) {
  const numbers = values.filter((value) => !Number.isNaN(value));
  const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
  const levels = values.map((value) =>
    Number.isNaN(value)
      ? 0
      : 1 + Math.round((max > min ? (value - min) / (max - min) : 0) * (height * 8 - 1)),
  );
  const lines = Array.from({ length: height }, (_, row) => {
    const below = (height - 1 - row) * 8;
    return levels.map((level) => EIGHTHS_UP[Math.max(0, Math.min(8, level - below))]).join('');
  });
  return { lines, min, max };
}
