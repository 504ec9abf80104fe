/** Strings and bytes, through logs: what comes out is what went in. */
import fc from 'fast-check';
import { AtomicLog, utf8 } from 'atomic-log';

import { expectError } from '../../support/errors';
import { entriesOf } from '../../support/logs';

const capacities = { retainedCapacity: 64, segmentCapacity: 32 };

const euro = '€';
const emoji = '😀';

const texts: readonly (readonly [name: string, text: string])[] = [
  ['nothing', ''],
  ['one character', 'a'],
  ['NUL', 'a\0b\0'],
  ['a byte order mark, which is kept', '\uFEFFtext'],
  ['nothing but a byte order mark', '\uFEFF'],
  ['Latin-1', 'Übergröße ÿ'],
  ['three bytes a character', euro.repeat(9)],
  ['four bytes a character', emoji.repeat(9)],
  ['ASCII and something else at the end, short', 'abcdefghijklmn' + euro],
  ['15 characters', 'x'.repeat(15)],
  ['16 characters', 'x'.repeat(16)],
  ['17 characters', 'x'.repeat(17)],
  ['16 characters, the last not ASCII', 'x'.repeat(15) + 'é'],
  ['a long text', 'lorem ipsum '.repeat(200)],
  ['a rope', Array.from({ length: 40 }, (_, i) => String(i)).join('-') + euro],
  ['the last characters before surrogates and after them', '\uD7FF\uE000\uFFFF'],
  ['the last character of all', '\u{10FFFF}'],
];

describe.each(texts)('%s', (_name, text) => {
  test('comes back as a value, a field, and in a batch', () => {
    const one = AtomicLog.claimed({ ...capacities, codec: utf8 });
    one.writer.append(text);
    one.writer.write(text + text);
    one.writer.appendBatch([text, '|', text]);
    expect(entriesOf(one.log)).toEqual([text, text + text, text, '|', text]);

    const two = AtomicLog.claimed({ ...capacities, schema: { a: 'utf8', b: 'utf8' } });
    two.writer.append({ a: text, b: '|' });
    two.writer.appendBatch({ a: ['|', text], b: [text, text] });
    expect(entriesOf(two.log)).toEqual([
      { a: text, b: '|' },
      { a: '|', b: text },
      { a: text, b: text },
    ]);
  });

  test('is stored as the bytes that TextEncoder makes of it', () => {
    const { writer, log } = AtomicLog.claimed({ ...capacities, codec: utf8 });
    writer.append(text);
    using snapshot = log.snapshot();
    const { encoded } = snapshot.chunks()[0]!;
    expect(encoded.bytesAt(0)).toEqual(new TextEncoder().encode(text));
  });

  test('fits into a segment of exactly its bytes, and not into one byte less', () => {
    const size = Math.max(1, new TextEncoder().encode(text).length);
    const exact = AtomicLog.claimed({ ...capacities, codec: utf8, dataBytes: size });
    for (let i = 0; i < 3; ++i) exact.writer.append(text);
    exact.writer.appendBatch([text, text]);
    expect(entriesOf(exact.log)).toEqual(
      Array.from({ length: exact.log.endIndex - exact.log.firstIndex }, () => text),
    );
    if (size < 2) return;
    const short = AtomicLog.claimed({ ...capacities, codec: utf8, dataBytes: size - 1 });
    const message = new RegExp(`needs ${size} bytes, and a segment has room for ${size - 1}`);
    expectError(() => short.writer.append(text), 'ERR_VALUE_TOO_LARGE', message);
    expectError(() => short.writer.appendBatch(['', text]), 'ERR_VALUE_TOO_LARGE', message);
    expect(short.log.endIndex).toBe(0);
  });
});

test('a lone surrogate becomes U+FFFD, as with TextEncoder', () => {
  const { writer, log } = AtomicLog.claimed({ ...capacities, codec: utf8 });
  const lone = ['\uD800', 'a\uDC00b', '\uD83D', 'x'.repeat(30) + '\uDBFF', '\uDC00\uD800'];
  for (const text of lone) writer.append(text);
  writer.appendBatch(lone);
  const expected = lone.map((text) => new TextDecoder().decode(new TextEncoder().encode(text)));
  expect(entriesOf(log)).toEqual([...expected, ...expected]);
});

test('any texts, in segments of any size', () => {
  const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: 'grapheme', maxLength: 20 }));
  const property = fc.property(
    fc.array(text, { maxLength: 60 }),
    fc.integer({ min: 1, max: 400 }),
    (all, dataBytes) => {
      const fitting = all.filter((value) => Buffer.byteLength(value) <= dataBytes);
      const { writer, log } = AtomicLog.claimed({
        retainedCapacity: 1000,
        segmentCapacity: 7,
        codec: utf8,
        dataBytes,
      });
      const half = fitting.length >> 1;
      for (const value of fitting.slice(0, half)) writer.append(value);
      writer.appendBatch(fitting.slice(half));
      expect(log.endIndex).toBe(fitting.length);
      expect(entriesOf(log)).toEqual(fitting.slice(log.firstIndex));
    },
  );
  fc.assert(property, { numRuns: 300 });
});
