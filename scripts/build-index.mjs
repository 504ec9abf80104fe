// Writes dist/index.js and dist/index.mjs, after the compiler, from the exports of
// lib/index.ts: in the first, a class is loaded when it is first asked for. Most programs
// use one kind of log, and loading all of them takes as long again; TypeScript has no way
// to say that. AtomicLog is loaded at once, so that a missing addon is an error of
// `require`. The second is the ESM face of the first: two copies would have two states.
// The other entries of the package are made in the same way.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const AT_ONCE = './journal/typed-log';

/** What a module of lib/ exports: the names, and the lines that load each when it is asked for. */
function exportsOf(module) {
  const path = join(root, 'lib', `${module}.ts`);
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const refuse = (node) => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    throw new Error(
      `lib/${module}.ts:${line + 1}: only "export { … } from './…'" can be made lazy, not: ${node.getText()}`,
    );
  };
  const lines = [
    "'use strict';",
    "Object.defineProperty(exports, '__esModule', { value: true });",
    "const { loadLate } = require('./base/late');",
  ];
  const names = [];
  for (const statement of source.statements) {
    const { exportClause, moduleSpecifier, isTypeOnly } = statement;
    if (!ts.isExportDeclaration(statement) || !exportClause || !ts.isNamedExports(exportClause))
      refuse(statement);
    const values = isTypeOnly ? [] : exportClause.elements.filter((element) => !element.isTypeOnly);
    if (values.length === 0) continue;
    const file = `./${posix.join(posix.dirname(module), moduleSpecifier.text)}`;
    if (!existsSync(join(root, 'dist', `${file}.js`))) refuse(statement);
    const load = `require('${file}')`;
    if (file === AT_ONCE) lines.push(`${load};`);
    // See lib/base/late.ts.
    const loaded = file.startsWith('./memory/') || file === AT_ONCE ? load : `loadLate(() => ${load})`;
    for (const { name, propertyName } of values) {
      const getter = `return ${loaded}.${(propertyName ?? name).text};`;
      lines.push(
        `Object.defineProperty(exports, '${name.text}', { enumerable: true, get() { ${getter} } });`,
      );
      names.push(name.text);
    }
  }
  return { lines, names };
}

/** Writes dist/<name>.js and dist/<name>.mjs. */
function write(name, { lines, names }) {
  writeFileSync(join(root, 'dist', `${name}.js`), `${lines.join('\n')}\n`);
  const list = names.sort().join(', ');
  const text = `import core from './${name}.js';\n\nexport const { ${list} } = core;\n`;
  writeFileSync(join(root, 'dist', `${name}.mjs`), text);
}

const index = exportsOf('index');
if (!index.lines.includes(`require('${AT_ONCE}');`))
  throw new Error('lib/index.ts does not export AtomicLog');
write('index', index);
for (const entry of ['jetstream', 'redis']) write(entry, exportsOf(`replication/${entry}`));
