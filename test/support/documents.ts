// The pages for people: the README and what is in docs/, as text and as blocks of code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from './internals';

export interface Block {
  readonly page: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  /** What stands after the language: 'fragment' where a reader has to add something. */
  readonly note: string;
  readonly code: string;
}

/** The paths of all pages, from the root of the package. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(packageRoot, 'docs'), { encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

export const textOf = (page: string): string => readFileSync(join(packageRoot, page), 'utf8');

export function blocksOf(page: string): Block[] {
  const text = textOf(page);
  return [...text.matchAll(/^( *)```(\w+)(?: (.*))?\n([^]*?)^\1```$/gm)].map(
    ({ index, 2: language, 3: note, 4: code }) => ({
      page,
      line: text.slice(0, index).split('\n').length + 1,
      language: language!,
      note: note ?? '',
      code: code!,
    }),
  );
}
