// Installs tools that an ordinary checkout does without, on demand.
//
// They are npm packages, pinned by version and integrity in a folder with a
// package.json and a lock file. They go into .tools/ of the clone;
// ATOMIC_LOG_TOOLS names another folder, which several clones can share.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const store = process.env.ATOMIC_LOG_TOOLS ?? join(root, '.tools');

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Installs what the lock file in `pins` names; returns the folder of its node_modules. */
export function installPinned(name, pins) {
  const folder = join(store, name);
  const lock = join(pins, 'package-lock.json');
  // Written last: a copy of the lock file says that all of it is there.
  const done = join(folder, 'installed.json');
  if (textOf(done) !== readFileSync(lock, 'utf8')) {
    console.log(`installing ${name} into ${folder}`);
    mkdirSync(folder, { recursive: true });
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(join(pins, file), join(folder, file));
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-bin-links'];
    // Not `npm ci`: it wants the optional packages of other platforms in the lock file too.
    execFileSync('npm', ['install', ...flags], {
      cwd: folder,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    copyFileSync(lock, `${done}.new`);
    renameSync(`${done}.new`, done);
  }
  return join(folder, 'node_modules');
}
