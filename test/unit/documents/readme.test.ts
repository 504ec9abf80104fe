/** The examples of the README run as they stand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { runInChild } from '../../support/child';
import { addon, packageRoot } from '../../support/internals';

const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!);

/** How the examples begin that make files. */
const FILES = "const { rmSync } = require('node:fs');\nconst { tmpdir } = require('node:os');\n";

/** What a block prints that begins with this. */
function printedBy(beginning: string): string[] {
  const found = blocks.filter((code) => code.startsWith(beginning));
  expect(found).toHaveLength(1);
  // Bun prints an object on several lines.
  const printed = runInChild(found[0]!).replace(/\{[^}]*\}/g, (object) =>
    object.replace(/\s+/g, ' ').replace(', }', ' }'),
  );
  return printed.split('\n');
}

test('the first example', () => {
  const [line] = printedBy("const { AtomicLog } = require('atomic-log');\n\nconst { writer, log }");
  expect(line).toMatch(/^250 entries, newest 15\.779\d+, sum \d+\.\d+$/);
});

test('strings, bytes and any values', () => {
  expect(printedBy("const { AtomicLog, json } = require('atomic-log');")).toEqual([
    'disk is nearly full',
    '19',
    '2',
  ]);
});

// It compresses.
(addon.hasCompression ? test : test.skip)('segment files', () => {
  expect(printedBy(`${FILES}const { SegmentReader`)).toEqual([
    'first',
    '5 bytes, 13 in the file',
    '6 bytes, 14 in the file',
    expect.stringMatching(/^5000 bytes, \d\d in the file$/),
    '3 records, 0 bytes quarantined',
  ]);
});

test('write-ahead log', () => {
  const lines = printedBy(`${FILES}const { Wal,`);
  expect(lines.slice(0, 5)).toEqual([
    '{ lsn: 1, first: 5, last: 6, durable: 6 }',
    '5 debit',
    '6 credit',
    '2',
    '1',
  ]);
  expect(lines.slice(5, -1).join()).toMatch(/^\d entries, up to [4-6]/);
  expect(lines.at(-1)).toBe('clean 2 6');
});
