// Every package manager installs the packed package from a registry, runs none of
// its scripts, and what it installed works.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  attempt,
  expectReport,
  installedProject,
  makeProject,
  packaging,
  run,
  tool,
} from './support/project';

async function expectWorks(project: string, node: readonly string[] = [process.execPath]): Promise<void> {
  const [program, ...args] = node;
  for (const name of ['report.cjs', 'report.mjs', 'worker-only.cjs']) {
    expectReport(await run(project, program!, [...args, name]), project);
  }
}

test('npm, with scripts blocked', async () => {
  const project = makeProject();
  await run(project, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund']);
  await expectWorks(project);
});

test('npm, from the file, with scripts allowed: there are none', async () => {
  const project = makeProject();
  const args = ['install', '--foreground-scripts', '--no-audit', '--no-fund', packaging.tarball];
  const output = await run(project, 'npm', args);
  expect(output).not.toMatch(/> |node-gyp/);
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  expect(lock.packages['node_modules/atomic-log']).toBeDefined();
  expect(Object.values(lock.packages).filter(({ hasInstallScript }) => hasInstallScript)).toEqual([]);
  await expectWorks(project);
});

test('pnpm', async () => {
  const project = makeProject({ '.npmrc': `registry=${packaging.registry}\n` });
  await run(project, process.execPath, [tool('pnpm/bin/pnpm.cjs'), 'install']);
  await expectWorks(project);
});

describe('Yarn', () => {
  const yarn = tool('@yarnpkg/cli-dist/bin/yarn.js');

  function makeYarnProject(linker: string): string {
    const settings = [
      `nodeLinker: ${linker}`,
      `npmRegistryServer: ${packaging.registry}`,
      'unsafeHttpWhitelist: [127.0.0.1]',
      'enableGlobalCache: false',
      'enableTelemetry: false',
      // Which it takes to be wanted where CI is set.
      'enableImmutableInstalls: false',
      'enableScripts: false',
      'pnpEnableEsmLoader: true',
      '',
    ];
    return makeProject({ '.yarnrc.yml': settings.join('\n'), 'yarn.lock': '' });
  }

  test('with node_modules', async () => {
    const project = makeYarnProject('node-modules');
    await run(project, process.execPath, [yarn, 'install']);
    await expectWorks(project);
  });

  test("with Plug'n'Play", async () => {
    const project = makeYarnProject('pnp');
    await run(project, process.execPath, [yarn, 'install']);
    await expectWorks(project, [process.execPath, yarn, 'node']);
  });
});

test('Bun, and its own runtime', async () => {
  const bun = tool('@oven/bun-linux-x64/bin/bun');
  const project = makeProject({ 'bunfig.toml': `[install]\nregistry = "${packaging.registry}"\n` });
  await run(project, bun, ['install']);
  await expectWorks(project);
  await expectWorks(project, [bun]);
});

describe('the permission model', () => {
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';

  test('works with --allow-addons', async () => {
    const project = makeProject();
    await run(project, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund']);
    const flags = [permission, '--no-warnings', `--allow-fs-read=${project}/*`];
    const allowed = [...flags, '--allow-worker', '--allow-addons'];
    expectReport(await run(project, process.execPath, [...allowed, 'report.cjs']), project);

    const { status, errors } = await attempt(project, process.execPath, [...flags, 'report.cjs']);
    expect(status).toBe(1);
    expect(errors).toContain('ERR_ADDON_UNAVAILABLE');
    expect(errors).toContain('ERR_DLOPEN_DISABLED');
    expect(errors).toContain('start node with --allow-addons');
  });
});

describe("Deno's flags", () => {
  const deno = tool('@deno/linux-x64-glibc/deno');
  let project: string;
  beforeAll(async () => (project = await installedProject()));

  const attemptWith = (...flags: string[]) =>
    attempt(project, deno, ['run', '--no-prompt', ...flags, 'report.cjs']);

  test('work with --allow-ffi and --allow-read, in workers too; variables need not be readable', async () => {
    const { status, output, errors } = await attemptWith('--allow-ffi', '--allow-read');
    expect({ status, errors }).toEqual({ status: 0, errors: '' });
    expectReport(output, project);
  });

  test('work where only the folders of the program may be read', async () => {
    const folders = `${project},${packaging.folder}`;
    const { status, output, errors } = await attemptWith(`--allow-ffi=${project}`, `--allow-read=${folders}`);
    expect({ status, errors }).toEqual({ status: 0, errors: '' });
    expectReport(output, project);
  });

  test('without --allow-ffi, the error names it, and no compiler', async () => {
    const { status, errors } = await attemptWith('--allow-read', '--allow-env');
    expect(status).toBe(1);
    expect(errors).toMatch(/Deno forbids atomic-log's binary .*: run deno with --allow-ffi and --allow-read/);
    expect(errors).not.toContain('npx atomic-log build');
  });
});
