import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

import { runInChild } from '../support/child';
import { addonPath, packageRoot } from '../support/internals';

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  version: string;
};

/** A copy of the package without any binary. */
function copyWithoutAddon(): string {
  const copy = mkdtempSync(join(tmpdir(), 'atomic-log-no-addon-'));
  cpSync(join(packageRoot, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(packageRoot, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(packageRoot, 'node_modules'), join(copy, 'node_modules'), 'junction');
  return copy;
}

interface LoadError {
  name: string;
  code: string;
  message: string;
  cause: string;
}

function loadErrorOf(packageDirectory: string): LoadError {
  const source = `
    delete process.env.ATOMIC_LOG_PREBUILD;
    try {
      require(${JSON.stringify(packageDirectory)});
      console.log('null');
    } catch ({ name, code, message, cause }) {
      console.log(JSON.stringify({ name, code, message, cause: String(cause) }));
    }
  `;
  return JSON.parse(runInChild(source)) as LoadError;
}

test('the path of the addon is that of a file', () => {
  expect(isAbsolute(addonPath)).toBe(true);
  expect(existsSync(addonPath)).toBe(true);
});

describe('without an addon that loads, the error says how to build it', () => {
  let copy: string;
  beforeEach(() => {
    copy = copyWithoutAddon();
  });
  afterEach(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  test('when there is none', () => {
    const machine = `${process.platform}-${process.arch}`;
    expect(loadErrorOf(copy)).toEqual({
      name: 'Error',
      code: 'ERR_ADDON_UNAVAILABLE',
      message: expect.stringMatching(
        `no binary for ${machine}.*searched build/Release and prebuilds in .*npx atomic-log build`,
      ),
      cause: 'undefined',
    });
    expect(loadErrorOf(copy).message).toContain(copy);
  });

  test('when it is of another version', () => {
    mkdirSync(join(copy, 'build', 'Release'), { recursive: true });
    cpSync(addonPath, join(copy, 'build', 'Release', 'atomic_log.node'));
    writeFileSync(join(copy, 'dist', 'version.js'), 'exports.version = "99.0.0";');
    const { code, message } = loadErrorOf(copy);
    expect(code).toBe('ERR_ADDON_UNAVAILABLE');
    expect(message).toMatch(`atomic-log 99.0.0 found a binary of ${version}: `);
    expect(message).toMatch(/atomic_log\.node; install the package again/);
  });

  test('when it is no binary', () => {
    mkdirSync(join(copy, 'build', 'Release'), { recursive: true });
    writeFileSync(join(copy, 'build', 'Release', 'atomic_log.node'), 'this is no addon');
    const { code, message, cause } = loadErrorOf(copy);
    expect(code).toBe('ERR_ADDON_UNAVAILABLE');
    expect(message).toMatch(/build[\\/]Release[\\/]atomic_log\.node does not load .*npx atomic-log build/);
    expect(cause).toContain('atomic_log.node');
  });
});
