// Builds the addon from source into build/Release with node-gyp.
//
// node-gyp would download Node's headers; those of the running Node usually
// stand beside it, so they are used where they are found. Extra arguments go to
// node-gyp (for example `-- -Dsanitize=1`).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nodedir = dirname(dirname(process.execPath));
const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');

const args = [nodeGyp, 'rebuild', '--jobs=max'];
if (existsSync(join(nodedir, 'include', 'node', 'node_api.h'))) {
  args.push(`--nodedir=${nodedir}`);
}
args.push(...process.argv.slice(2));

const result = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
if (result.error) throw result.error;
process.exit(result.status ?? 1);
