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
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

import { runInChild } from '../../support/child';
import { addonPath, packageRoot } from '../../support/internals';
import { runtime } from '../../support/runtime';

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

/** A program that prints the error of loading the package, or null. */
const sourceFor = (packageDirectory: string): string => `
  delete process.env.ATOMIC_LOG_PREBUILD;
  try {
    require(${JSON.stringify(packageDirectory)});
    console.log('null');
  } catch ({ name, code, message, cause }) {
    console.log(JSON.stringify({ name, code, message, cause: String(cause) }));
  }
`;

function loadErrorOf(packageDirectory: string): LoadError {
  return JSON.parse(runInChild(sourceFor(packageDirectory))) as LoadError;
}

test('the path of the addon is that of a file', () => {
  expect(isAbsolute(addonPath)).toBe(true);
  expect(existsSync(addonPath)).toBe(true);
});

describe('where something forbids the binary, the error says what, and how to allow it', () => {
  let copy: string;
  beforeEach(() => {
    copy = copyWithoutAddon();
    mkdirSync(join(copy, 'build', 'Release'), { recursive: true });
    cpSync(addonPath, join(copy, 'build', 'Release', 'atomic_log.node'));
  });
  afterEach(() => {
    rmSync(copy, { recursive: true, force: true });
  });

  function errorWith(command: readonly string[]): LoadError {
    const [program, ...args] = command;
    const { stdout, stderr } = spawnSync(program!, args, { encoding: 'utf8' });
    if (stdout.trim() === '') throw new Error(stderr);
    const error = JSON.parse(stdout) as LoadError;
    expect(error.code).toBe('ERR_ADDON_UNAVAILABLE');
    expect(error.message).not.toContain('npx atomic-log build');
    return error;
  }

  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  const testOfNode = runtime === 'node' ? test : test.skip;

  function errorOfNode(...flags: string[]): LoadError {
    const script = join(copy, 'dist', 'script.cjs');
    writeFileSync(script, sourceFor(copy));
    return errorWith([process.execPath, '--no-warnings', ...flags, script]);
  }

  testOfNode("Node's permission model, without --allow-addons", () => {
    const { message, cause } = errorOfNode(permission, '--allow-fs-read=*');
    expect(message).toMatch(
      /^Node's permission model forbids .*: start node with --allow-addons \(see atomic-log\/docs\/packaging\.md\)$/,
    );
    expect(cause).toContain('addons is disabled');
  });

  testOfNode("Node's permission model, where the binary may not be seen", () => {
    const readable = ['dist', 'package.json'].map((name) => `--allow-fs-read=${join(copy, name)}`);
    const { message } = errorOfNode(permission, '--allow-addons', ...readable);
    expect(message).toMatch(/^this process may not look .*: start node with --allow-addons --allow-fs-read=/);
    expect(message).toContain(`--allow-fs-read=${join(copy, 'dist', '..', 'prebuilds')}`);
  });

  testOfNode('--no-addons', () => {
    expect(errorOfNode('--no-addons').message).toMatch(
      /^Node's flag --no-addons forbids .*without it \(see \S+\)$/,
    );
  });

  // A mount in a namespace of its own is gone with the process.
  const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', tmpdir()]).status === 0;
  const name = canMount ? 'a mount with noexec' : 'a mount with noexec: unshare(1) may not mount here';
  (canMount ? test : test.skip)(name, () => {
    const mount = join(copy, 'mount');
    mkdirSync(mount);
    const script = join(mount, 'script.cjs');
    writeFileSync(join(copy, 'script.cjs'), sourceFor(mount));
    const commands = [
      `mount -t tmpfs -o noexec none ${mount}`,
      `cp -r ${join(copy, 'dist')} ${join(copy, 'build')} ${join(copy, 'package.json')} ${join(copy, 'script.cjs')} ${mount}`,
      `exec ${JSON.stringify(process.execPath)} ${runtime === 'deno' ? 'run --allow-all' : ''} ${script}`,
    ];
    const { message } = errorWith(['unshare', '-rm', 'sh', '-ec', commands.join('\n')]);
    expect(message).toContain(`: ${mount} is mounted with noexec; `);
    expect(message).toContain('ATOMIC_LOG_PREBUILD');
  });
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
        `no binary for ${machine}.*; searched .*atomic_log\\.node, .*npx atomic-log build`,
      ),
      cause: 'undefined',
    });
    expect(loadErrorOf(copy).message).toContain(copy);
  });

  test('and the command that builds it explains itself', () => {
    const { status, stdout } = spawnSync(process.execPath, [join(copy, 'dist', 'cli', 'main.js'), '--help'], {
      encoding: 'utf8',
      env: { ...process.env, ATOMIC_LOG_PREBUILD: '' },
    });
    expect(stdout).toMatch(/Usage: atomic-log[^]*build /);
    expect(status).toBe(0);
  });

  test('when it is of another version', () => {
    mkdirSync(join(copy, 'build', 'Release'), { recursive: true });
    cpSync(addonPath, join(copy, 'build', 'Release', 'atomic_log.node'));
    const bundle = join(copy, 'dist', 'memory', 'bundle.js');
    const text = readFileSync(bundle, 'utf8');
    writeFileSync(bundle, text.replace(`exports.version = '${version}'`, "exports.version = '99.0.0'"));
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
