/** docs/errors.md has every code that an error can carry, once, and no other; messages end with the page that it links to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { textOf } from '../../support/documents';
import { packageRoot, requireInternal } from '../../support/internals';

const { plainError, rangeError, typeError } =
  requireInternal<
    Record<'plainError' | 'rangeError' | 'typeError', (code: string, message: string) => Error>
  >('base/errors.js');

/** Each code with what is to be done: the last cell of its row, or its paragraph. */
const advice = [...textOf('docs/errors.md').matchAll(/^(?:\| `.*|`ERR_[^]*?\n\n|`ERR_[^]*)$/gm)].map(
  ([text]) => ({
    code: /ERR_\w+/.exec(text)![0],
    page: /\]\(([^)]+)\)/.exec(text.replace(/ *\|$/, '').split(' | ').at(-1)!)?.[1],
  }),
);

// The test of links finds each of those.
test('a message ends with the page that the last column links to, and with none where it has no link', () => {
  const wanted = advice.map(({ code, page }) => [
    code,
    page === undefined ? 'it failed' : `it failed (see atomic-log/docs/${page})`,
  ]);
  expect(wanted.length).toBeGreaterThan(60);
  for (const make of [plainError, rangeError, typeError]) {
    const made = wanted.map(([code]) => [code, make(code!, 'it failed').message]);
    expect(Object.fromEntries(made)).toEqual(Object.fromEntries(wanted));
  }
});

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
