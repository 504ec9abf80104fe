// The site: the pages of docs/ with a search, and the types as its reference. `npm run docs:build`
// makes it in build/site; a dead link fails.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';

const root = new URL('../../', import.meta.url);
const { repository, version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
const repositoryUrl = repository.url.replace(/^git\+|\.git$/g, '');

/** Of a page, as the README lists them. */
const page = (text, name) => ({ text, link: `/${name}` });

const KINDS = {
  classes: 'Classes',
  functions: 'Functions',
  interfaces: 'Interfaces',
  'type-aliases': 'Types',
  variables: 'Values',
};

/** What typedoc has made of the types of one entry of the package. */
function references(entry) {
  const folder = new URL(`docs/reference/${entry}/`, root);
  const kinds = Object.keys(KINDS).filter((kind) => readdirSync(folder).includes(kind));
  return kinds.map((kind) => ({
    text: KINDS[kind],
    collapsed: true,
    items: readdirSync(new URL(`${kind}/`, folder))
      .map((file) => file.replace(/\.md$/, ''))
      .map((name) => page(name, `reference/${entry}/${kind}/${name}`)),
  }));
}

const sidebar = [
  {
    text: 'Begin',
    items: [
      page('Which log, and what else', 'choosing'),
      page('The demo', 'demo'),
      page('Moving to it', 'migrating'),
    ],
  },
  {
    text: 'Guides',
    items: [
      page('The log in memory', 'memory'),
      page('Strings, bytes, any values', 'values'),
      page('Segment files', 'segments'),
      page('The write-ahead log', 'wal'),
      page('Replication', 'replication'),
      page('Native threads', 'native'),
      page('For processes', 'processes'),
      page('Command line', 'command-line'),
      page('TypeScript', 'typescript'),
      page('Testing', 'testing'),
      page('Examples', 'examples'),
    ],
  },
  {
    text: 'In production',
    items: [
      page('Sizes, windows, memory', 'sizing'),
      page('Deployment', 'deployment'),
      page('Operations', 'operations'),
      page('Errors by code', 'errors'),
      page('Durability', 'durability'),
      page('Evidence', 'evidence'),
      page('Performance', 'performance'),
      page('Where it runs', 'runtimes'),
      page('Packaging and permissions', 'packaging'),
      page('Electron', 'electron'),
      page('What views meet elsewhere', 'views'),
      page('Support policy', 'support'),
    ],
  },
  {
    text: 'Inside',
    items: [
      page('Architecture', 'architecture'),
      page('Threads and publication', 'concurrency'),
      page('Bytes on disk', 'format'),
    ],
  },
  {
    text: 'Reference',
    items: [
      page('The calls in short', 'api'),
      ...references('index'),
      { text: 'atomic-log/jetstream', collapsed: true, items: references('jetstream') },
      { text: 'atomic-log/redis', collapsed: true, items: references('redis') },
    ],
  },
];

/** Headings have the anchors that they have on GitHub, where links to them are read too. */
const slugify = (title) =>
  title
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

/** A link to a file that is no page goes to the repository. */
function linkToRepository(markdown) {
  markdown.core.ruler.push('repository-links', ({ tokens, env }) => {
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      if (href === null || /^(\w+:|#|\/)/.test(href)) continue;
      const path = posix.join('docs', posix.dirname(env.relativePath ?? ''), href);
      if (!path.startsWith('docs/')) token.attrSet('href', `${repositoryUrl}/blob/main/${path}`);
    }
  });
}

/** What vite and vitepress only warn of ends the build: no one reads the output of one that passes. */
const strictLogger = {
  hasWarned: false,
  info: (message) => console.log(message),
  warn: refuse,
  warnOnce: refuse,
  error: (message) => console.error(message),
  clearScreen() {},
  hasErrorLogged: () => false,
};
function refuse(message) {
  throw new Error(`a warning: ${message}`);
}

export default defineConfig({
  title: 'atomic-log',
  description:
    'Shared-memory ring buffers for Node.js worker threads, and a crash-safe write-ahead log, in native code.',
  // GitHub Pages serve a project below its name.
  base: process.env.DOCS_BASE ?? '/',
  srcDir: dirname(fileURLToPath(new URL('.', import.meta.url))),
  outDir: fileURLToPath(new URL('build/site', root)),
  cacheDir: fileURLToPath(new URL('build/site-cache', root)),
  cleanUrls: true,
  // The index of the search is one large piece.
  vite: { build: { chunkSizeWarningLimit: 2000 }, customLogger: strictLogger },
  markdown: { config: linkToRepository, anchor: { slugify } },
  themeConfig: {
    nav: [
      page('Guides', 'memory'),
      page('Operations', 'operations'),
      page('Reference', 'api'),
      { text: version, link: `${repositoryUrl}/blob/main/CHANGELOG.md` },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: repositoryUrl }],
  },
});
