// @ts-check
// Columns of a live table need numbers of at most so many characters. Intl's compact notation
// promises none (1,000T), and neither does a kept package.

/**
 * A count or rate in at most six characters, such as 999, 12.3k, 4.56M.
 *
 * @param {number} value
 * @returns {string}
 */
export function compact(value) {
  if (value < 9.995 && !Number.isInteger(value)) return value.toFixed(2);
  if (value < 999.5) return String(Math.round(value));
  const units = ['k', 'M', 'G', 'T', 'P'];
  let scaled = value / 1000;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    ++unit;
  }
  return threeDigits(scaled) + units[unit];
}

/**
 * @param {number} value
 * @returns {string}
 */
export function withCommas(value) {
  return value.toLocaleString('en');
}

/**
 * A time in at most seven characters.
 *
 * @param {number | null} ns
 * @returns {string}
 */
export function duration(ns) {
  if (ns === null) return '-';
  if (ns < 999.5) return `${Math.round(ns)} ns`;
  if (ns < 999.5e3) return `${threeDigits(ns / 1e3)} µs`;
  if (ns < 999.5e6) return `${threeDigits(ns / 1e6)} ms`;
  return `${threeDigits(ns / 1e9)} s`;
}

/**
 * A value of the data, of any size, with three digits that matter.
 *
 * @param {number} value
 * @returns {string}
 */
export function value3(value) {
  if (Number.isNaN(value)) return '-';
  const size = Math.abs(value);
  if (size >= 999.5) return (value < 0 ? '-' : '') + (size < 1e18 ? compact(size) : size.toExponential(0));
  return size < 0.005 && size > 0 ? value.toExponential(0) : threeDigits(value);
}

/**
 * @param {number} bytes
 * @returns {string}
 */
export function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/**
 * @param {string} text
 * @param {number} length
 * @returns {string}
 */
export function shorten(text, length) {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/**
 * @param {number} value
 * @returns {string}
 */
function threeDigits(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}
