// The worked example of docs/format.md is what the writer writes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { SegmentWriter } from 'atomic-log';

import { packageRoot } from '../../support/internals';
import { temporaryDirectory } from '../../support/segments';

const { path } = temporaryDirectory();

test('The example of docs/format.md', () => {
  const writer = SegmentWriter.createSync(path('example'), { size: 32 });
  writer.append(Buffer.from('a'));
  writer.append(Buffer.from('hello'));
  writer.closeSync();
  const lines = readFileSync(join(packageRoot, 'docs', 'format.md'), 'utf8')
    .split('## Write-ahead log')[0]!
    .matchAll(/^ ?\d+ {6,}((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {3}|$)/gm);
  const bytes = [...lines].map(([, hex]) => Buffer.from(hex!.replaceAll(' ', ''), 'hex'));
  expect(Buffer.concat(bytes)).toEqual(readFileSync(path('example')));
});
