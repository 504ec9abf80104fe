// Makes two files of most of the compiled library, after scripts/build-index.mjs: finding,
// reading and compiling fifty small files takes longer than all that they do.
// dist/memory/bundle.js is what loading the package loads, dist/durable/bundle.js what its
// other exports need. The code of a module is as the compiler wrote it, but for where it
// loads others from; it runs when it is first asked for, and once. The file that it was in
// hands out the one in the bundle. What needs an optional package stays a file, and so does
// what loads the addon: @vercel/ncc finds paths of binaries at the top level of a file only.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist');
const AT_ONCE = 'journal/typed-log';
const LOADS_ADDON = 'base/native';
/** As the compiler writes it. */
const OWN_MODULE = /\brequire\("(\.{1,2}\/[^"]+)"\)/g;

const read = (module) => readFileSync(join(dist, `${module}.js`), 'utf8');
const write = (module, text) => writeFileSync(join(dist, `${module}.js`), text);
const resolved = (from, path) => posix.join(posix.dirname(from), path);

/** An expression for the function that loads modules out of a bundle, in the file `from`. */
function loaderOf(bundle, from) {
  const path = posix.relative(posix.dirname(from), bundle);
  return `require('${path.startsWith('.') ? path : `./${path}`}.js').load`;
}

/** The modules and all that they load, without those that `owners` has. */
function reachedFrom(modules, owners) {
  const reached = new Set();
  const visit = (module) => {
    if (reached.has(module) || owners.has(module)) return;
    reached.add(module);
    for (const [, path] of read(module).matchAll(OWN_MODULE)) visit(resolved(module, path));
  };
  modules.forEach(visit);
  reached.delete(LOADS_ADDON);
  return [...reached].sort();
}

/** Loads a module of a bundle by its name; one that failed may be tried again. */
const LOAD = `const loaded = new Map();
function loadBundled(name) {
  let exported = loaded.get(name);
  if (exported !== undefined) return exported;
  exported = {};
  loaded.set(name, exported);
  try {
    modules[name](exported);
  } catch (error) {
    loaded.delete(name);
    throw error;
  }
  return exported;
}
exports.load = loadBundled;
`;

function bundleText(modules, bundle, owners) {
  const codeOf = (module) => {
    const original = read(module);
    if (/\b(loadBundled|loadShared)\b/.test(original)) throw new Error(`${module} has names of the bundle`);
    const text = original.replace(OWN_MODULE, (_, path) => {
      const name = resolved(module, path);
      if (name === LOADS_ADDON) return `require('../${LOADS_ADDON}.js')`;
      return owners.has(name) ? `loadShared('${name}')` : `loadBundled('${name}')`;
    });
    // In brackets, so that V8 compiles it at once instead of twice.
    return `'${module}': (function (exports) {\n${text}}),\n`;
  };
  const others = new Set(owners.values());
  const shared = [...others].map((other) => `const loadShared = ${loaderOf(other, bundle)};\n`).join('');
  return `'use strict';\n${shared}const modules = {\n${modules.map(codeOf).join('')}};\n${LOAD}`;
}

const index = read('index');
const exported = [...new Set([...index.matchAll(/require\('\.\/(.+?)'\)/g)].map(([, module]) => module))];
// The index does not load it, but AtomicLog.open() does.
exported.push('processes/open');
if (!exported.includes(AT_ONCE)) throw new Error(`dist/index.js does not load ${AT_ONCE}`);

const owners = new Map();
for (const [bundle, wanted] of [
  ['memory/bundle', [AT_ONCE]],
  ['durable/bundle', exported],
]) {
  const modules = reachedFrom(wanted, owners);
  write(bundle, bundleText(modules, bundle, owners));
  for (const module of modules) owners.set(module, bundle);
}
write(
  LOADS_ADDON,
  read(LOADS_ADDON).replace(OWN_MODULE, (_, path) => {
    const name = resolved(LOADS_ADDON, path);
    return `${loaderOf(owners.get(name), LOADS_ADDON)}('${name}')`;
  }),
);
for (const [module, bundle] of owners) {
  write(module, `'use strict';\nmodule.exports = ${loaderOf(bundle, module)}('${module}');\n`);
}
write(
  'index',
  index.replaceAll(
    /require\('\.\/(.+?)'\)/g,
    (_, module) => `${loaderOf(owners.get(module), 'index')}('${module}')`,
  ),
);
