// Makes dist/index.js load a class when it is first asked for, the second step of
// `npm run build:lib`. Most programs use one kind of log, and loading all of them
// takes as long again; TypeScript has no way to say that. AtomicLog is loaded at
// once, so that a missing addon is an error of `require`.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'index.js');
const text = readFileSync(path, 'utf8').replace(
  /^var (\w+) = (require\("\.\/(?!typed-log")[\w-]+"\));\n((?:Object\.defineProperty\(exports.*\n)+)/gm,
  (_, name, load, getters) => getters.replaceAll(`return ${name}.`, `return ${load}.`),
);
writeFileSync(path, text);
