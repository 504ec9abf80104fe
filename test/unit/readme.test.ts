/** The examples of the README run as they stand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { runInChild } from '../support/child';
import { packageRoot } from '../support/internals';

const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!);

/** What a block prints that begins with this. */
function printedBy(beginning: string): string[] {
  const found = blocks.filter((code) => code.startsWith(beginning));
  expect(found).toHaveLength(1);
  return runInChild(found[0]!).split('\n');
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

test('segment files', () => {
  expect(printedBy("const { rmSync } = require('node:fs');")).toEqual([
    'first',
    '5 bytes, 13 in the file',
    '6 bytes, 14 in the file',
    expect.stringMatching(/^5000 bytes, \d\d in the file$/),
    '3 records, 0 bytes set aside',
  ]);
});
