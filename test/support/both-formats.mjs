// Prints the names that `import` gives, and those of them that are the very same by `require`.
import * as esm from 'atomic-log';
import { createRequire } from 'node:module';

const cjs = createRequire(import.meta.url)('atomic-log');
const same = Object.keys(cjs).filter((name) => cjs[name] === esm[name]);
console.log(JSON.stringify([Object.keys(esm).sort(), same.sort()]));
