// @ts-check

/** When the record was published, in nanoseconds since the origin that all threads share. */
export const TIME = 'publishedNs';

/**
 * The writer's checksum without and with this record. The first one lets a reader verify the very first record
 * after a gap too.
 */
export const SUM_BEFORE = 'sumBefore';
export const SUM_AFTER = 'sumAfter';

const RESERVED = [TIME, SUM_BEFORE, SUM_AFTER];
const NAME_LENGTH_MAX = 40;

/**
 * The schema of a log with these value fields.
 *
 * @param {readonly string[]} fields
 * @returns {Record<string, 'f64' | 'u32'>}
 */
export function schemaOf(fields) {
  return {
    ...Object.fromEntries(fields.map((name) => [name, /** @type {const} */ ('f64')])),
    [TIME]: 'f64',
    [SUM_BEFORE]: 'u32',
    [SUM_AFTER]: 'u32',
  };
}

/**
 * Field names for the headers of any table. A log refuses names that are empty, all digits or `__proto__`; a
 * terminal must not be given control characters; and no two fields can have one name.
 *
 * @param {readonly string[]} headers
 * @returns {string[]}
 */
export function fieldNames(headers) {
  const taken = new Set(RESERVED);
  return headers.map((header, i) => {
    const name = unusedName(legalName(header, i), taken);
    taken.add(name);
    return name;
  });
}

/**
 * @param {string} header
 * @param {number} position
 * @returns {string}
 */
function legalName(header, position) {
  const name = header
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, NAME_LENGTH_MAX);
  if (name === '') return `column ${position + 1}`;
  if (/^\d+$/.test(name)) return `_${name}`;
  return name === '__proto__' ? 'proto' : name;
}

/**
 * @param {string} name
 * @param {ReadonlySet<string>} taken
 * @returns {string}
 */
function unusedName(name, taken) {
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name} (${number})`)) ++number;
  return `${name} (${number})`;
}
