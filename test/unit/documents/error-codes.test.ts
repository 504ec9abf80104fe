/** docs/errors.md has every code that an error can carry, once, and no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { textOf } from '../../support/documents';
import { packageRoot } from '../../support/internals';

test('the page of error codes has those of the types', () => {
  const types = readFileSync(join(packageRoot, 'types', 'index.d.ts'), 'utf8');
  const [union] = /export type ErrorCode =[^]*?'ERR_\w+';/.exec(types)!;
  const declared = [...union.matchAll(/\| '(ERR_\w+)'/g)].map(([, code]) => code!);
  expect(declared.length).toBeGreaterThan(40);
  const documented = [...textOf('docs/errors.md').matchAll(/^(?:\| )?`(ERR_\w+)`(?: *\||:)/gm)].map(
    ([, code]) => code!,
  );
  expect(documented.sort()).toEqual(declared.sort());
});
