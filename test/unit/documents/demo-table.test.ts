// The demo's reader of tables: nothing is dropped without a word.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { packageRoot } from '../../support/internals';

const folder = mkdtempSync(join(tmpdir(), 'atomic-log-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Table {
  readonly fields: string[];
  readonly leftOut: string[];
  /** Row by row; null for what is missing. */
  readonly rows: (number | null)[][];
}

/** Reads the files as the demo does. */
function tablesOf(files: readonly [name: string, content: string | Uint8Array][]): (Table | string)[] {
  const paths = files.map(([name, content], i) => {
    const path = join(folder, `${i}-${name}`);
    writeFileSync(path, content);
    return path;
  });
  const script = join(packageRoot, 'test', 'support', 'read-tables.mjs');
  // Given as a whole: jest's process.env is a copy, which children do not inherit.
  const env = { ...process.env, TABLES: JSON.stringify(paths) };
  return JSON.parse(execFileSync(process.execPath, [script], { env, encoding: 'utf8' })) as (
    Table | string
  )[];
}

const both = [
  [1, 2.5],
  [3, 4],
];
const ab = { fields: ['a', 'b'], leftOut: [], rows: both };
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

const cases: [what: string, name: string, content: string | Uint8Array, table: Table][] = [
  ['commas', 'a.csv', 'a,b\n1,2.5\n3,4\n', ab],
  ['semicolons', 'a.csv', 'a;b\n1;2.5\n3;4\n', ab],
  ['semicolons and decimal commas', 'a.csv', 'a;b\n1;2,5\n3;4\n', ab],
  ['tabs', 'a.tsv', 'a\tb\n1\t2.5\n3\t4\n', ab],
  ['bars', 'a.txt', 'a|b\r\n1|2.5\r\n3|4\r\n', ab],
  ['a separator in quotes', 'a.csv', '"a;b;c",b\n1,2.5\n3,4\n', { ...ab, fields: ['a;b;c', 'b'] }],
  ['a byte order mark', 'a.csv', '\ufeffa,b\n1,2.5\n3,4\n', ab],
  ['UTF-16', 'a.csv', utf16('a;b\n1;2.5\n3;4\n'), ab],
  ['UTF-16, big-endian', 'a.csv', utf16('a,b\n1,2.5\n3,4\n').swap16(), ab],
  ['a compressed file', 'a.csv.gz', gzipSync('a,b\n1,2.5\n3,4\n'), ab],
  ['no header', 'a.csv', '1,2.5\n3,4\n', { ...ab, fields: ['column 1', 'column 2'] }],
  [
    'no header, and a number with a decimal comma',
    'a.csv',
    '1,0;2,5\n3,0;4,0\n',
    { ...ab, fields: ['column 1', 'column 2'] },
  ],
  ['a header with a number in it', 'a.csv', 'a,2020\n1,2.5\n3,4\n', { ...ab, fields: ['a', '_2020'] }],
  ['one column', 'a.csv', 'a\n1\n3\n', { fields: ['a'], leftOut: [], rows: [[1], [3]] }],
  [
    'missing values',
    'a.csv',
    'a,b\n1,\nNA,4\n',
    {
      ...ab,
      rows: [
        [1, null],
        [null, 4],
      ],
    },
  ],
  [
    'a text in one column',
    'a.csv',
    'a,b,c\n1,x,2.5\n3,7,4\n',
    {
      fields: ['a', 'c'],
      leftOut: ["column 'b': 1 of 2 values is no number, the first in row 1: x"],
      rows: both,
    },
  ],
  [
    'texts, without a header',
    'a.csv',
    'tea,1,2.5\nmilk,3,4\n',
    {
      fields: ['column 2', 'column 3'],
      leftOut: ["column 'column 1': 2 of 2 values are no numbers, the first in row 1: tea"],
      rows: both,
    },
  ],
  [
    'a column without values',
    'a.csv',
    'a,b,c\n1,2.5,\n3,4,\n',
    { ...ab, leftOut: ["column 'c': it has no values"] },
  ],
  ['JSON', 'a.json', '[{"a":1,"b":2.5},{"a":3,"b":4}]', ab],
  ['numbers that are JSON strings', 'a.json', '\ufeff[{"a":"1","b":"2.5"},{"a":3,"b":" 4 "}]', ab],
  [
    'other values in JSON',
    'a.json',
    '[{"a":1,"b":2.5,"c":true},{"a":3,"b":4,"c":{"d":1}}]',
    { ...ab, leftOut: ["column 'c': 2 of 2 values are no numbers, the first in row 1: true"] },
  ],
];

const errors: [what: string, name: string, content: string | Uint8Array, message: RegExp][] = [
  [
    'no number',
    'a.csv',
    'a,b\nx,y\n',
    /no column has numbers only[^]*column 'a': 1 of 1 values[^]*column 'b'/,
  ],
  ['no text', 'a.csv', Buffer.from([0x61, 0xff, 0x0a]), /the file is not UTF-8 text/],
  ['a row with too many cells', 'a.csv', 'a,b\n1,2\n1,2,3\n', /Invalid Record Length/],
  ['no array', 'a.json', '{"a":1}', /the file must hold an array of row objects/],
  ['another kind of file', 'a.parquet', 'PAR1', /must be a \.csv, \.tsv, \.txt or \.json/],
  ['a damaged .gz', 'a.csv.gz', gzipSync('a,b\n1,2.5\n3,4\n').subarray(0, 20), /unexpected end of file/],
];

let results: (Table | string)[];
beforeAll(() => {
  results = tablesOf([...cases, ...errors].map(([, name, content]) => [name, content]));
});

test.each(cases.map(([what, , , table], i) => [what, table, i] as const))('%s', (_, table, i) => {
  expect(results[i]).toEqual(table);
});

test.each(errors.map(([what, , , message], i) => [what, message, i] as const))(
  'is refused with a reason: %s',
  (_, message, i) => {
    expect(results[cases.length + i]).toMatch(message);
  },
);
