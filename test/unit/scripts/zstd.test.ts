// The sources of zstd come from the registry before gyp runs, and never while it does.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { packageRoot } from '../../support/internals';

const directory = mkdtempSync(join(tmpdir(), 'atomic-log-zstd-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The script in a package without sources, where npm only leaves a trace. */
function ask(question: string): { stdout: string; stderr: string; status: number | null; askedNpm: boolean } {
  const npm = join(directory, 'bin', 'npm');
  const trace = join(directory, 'trace');
  mkdirSync(dirname(npm), { recursive: true });
  writeFileSync(npm, `#!/bin/sh\n: > '${trace}'\nexit 1\n`);
  chmodSync(npm, 0o755);
  for (const name of ['zstd.mjs', 'zstd']) {
    cpSync(join(packageRoot, 'scripts', name), join(directory, 'scripts', name), { recursive: true });
  }
  const script = join(directory, 'scripts', 'zstd.mjs');
  const env = { ...process.env, PATH: `${dirname(npm)}:${process.env.PATH}` };
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, question], {
    encoding: 'utf8',
    env,
  });
  return { stdout, stderr, status, askedNpm: existsSync(trace) };
}

const onPosix = process.platform === 'win32' ? test.skip : test;

onPosix('gyp asks no registry, and builds without what is not there', () => {
  for (const question of ['sources', 'defines']) {
    expect(ask(question)).toEqual({ stdout: '', stderr: '', status: 0, askedNpm: false });
  }
});

onPosix('what cannot be fetched is said, and is no failure', () => {
  expect(ask('fetch')).toEqual({
    stdout: '',
    stderr: expect.stringMatching(/sources of zstd cannot be had, so there will be no compression/) as string,
    status: 0,
    askedNpm: true,
  });
});
