/** Every link of the README and of docs/ to a file or a heading finds it; links to other hosts are not asked for. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { pages, textOf } from '../../support/documents';
import { packageRoot } from '../../support/internals';

/** The first page of the site, whose place the README has elsewhere. */
const FRONT = 'docs/index.md';

const withoutCode = (text: string): string =>
  text.replace(/^( *)```[^]*?^\1```$/gm, '').replace(/`[^`\n]*`/g, 'x');

/** As GitHub and the site make them. */
function anchorsOf(path: string): string[] {
  const seen = new Map<string, number>();
  const text = readFileSync(path, 'utf8').replace(/^( *)```[^]*?^\1```$/gm, '');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => {
    const slug = title!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

function problemsOf(page: string): string[] {
  const links = [...withoutCode(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links
    .filter((link) => !/^(https?|mailto):/.test(link))
    .flatMap((link) => {
      const [path, anchor] = link.split('#') as [string, string?];
      const target = path === '' ? join(packageRoot, page) : join(packageRoot, dirname(page), path);
      if (!existsSync(target)) return [`${page}: ${link}: there is no such file`];
      if (relative(packageRoot, target).startsWith('..')) return [`${page}: ${link}: it leaves the package`];
      if (anchor === undefined || anchorsOf(target).includes(anchor)) return [];
      return [`${page}: ${link}: there is no such heading`];
    });
}

test('links find what they name', () => {
  expect(pages.flatMap(problemsOf)).toEqual([]);
});

test('each page of docs/ is linked to from the README', () => {
  const readme = textOf('README.md');
  const missed = pages.filter((page) => page.startsWith('docs/') && !readme.includes(`](${page}`));
  expect(missed).toEqual([FRONT]);
});

test('each page of docs/ is in the menu of the site, and nothing else is', () => {
  const menu = readFileSync(join(packageRoot, 'docs', '.vitepress', 'config.mjs'), 'utf8');
  const named = [...menu.matchAll(/page\('[^']+', '([\w-]+)'\)/g)].map(([, name]) => `docs/${name}.md`);
  const own = pages.filter((page) => page.startsWith('docs/') && page !== FRONT);
  expect([...new Set(named)].sort()).toEqual([...own].sort());
});

test('the first screen is short', () => {
  expect(textOf('README.md').split('\n').length).toBeLessThanOrEqual(181);
});
