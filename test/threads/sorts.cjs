// What the logs of the tests in this folder hold: entry `index` is a pure
// function of the index, so that any reader can check any entry.
'use strict';

const { isDeepStrictEqual } = require('node:util');

const valueOf = (index) => (index * 2654435761) % 4294967296;

/** Zero to 29 bytes, not all of them ASCII. */
const textOf = (index) => 'aé€'.slice(0, index % 4).repeat(valueOf(index) % 6);
const bytesOf = (index) => new Uint8Array(valueOf(index) % 23).fill(index);

/**
 * A user's codec that fills its whole target, throws half-way now and then, and
 * lies now and then.
 */
let calls = 0;
const moody = {
  name: 'moody',
  encode: ({ index, text }) => Buffer.from(`${index}:${text}`),
  encodeInto({ index, text }, target) {
    target.fill(0xff);
    ++calls;
    if (calls % 5 === 0) throw new Error('moody');
    if (calls % 7 === 0) return target.length + 1;
    const bytes = Buffer.from(`${index}:${text}`);
    if (bytes.length > target.length) return -1;
    target.set(bytes);
    return bytes.length;
  },
  decode(bytes) {
    const text = Buffer.from(bytes).toString();
    const colon = text.indexOf(':');
    return { index: Number(text.slice(0, colon)), text: text.slice(colon + 1) };
  },
};

exports.sorts = {
  numbers: { options: {}, entryOf: valueOf },
  lines: {
    options: { schema: { n: 'f64', text: 'utf8', raw: 'bytes' }, dataBytes: 160 },
    entryOf: (index) => ({ n: valueOf(index), text: textOf(index), raw: bytesOf(index) }),
  },
  codec: {
    options: { codec: moody, dataBytes: 160 },
    attach: { codec: moody },
    entryOf: (index) => ({ index, text: textOf(index) }),
  },
};
for (const sort of Object.values(exports.sorts)) {
  sort.isEntry = (value, index) => isDeepStrictEqual(value, sort.entryOf(index));
}
exports.sorts.numbers.isEntry = (value, index) => value === valueOf(index);
exports.valueOf = valueOf;
