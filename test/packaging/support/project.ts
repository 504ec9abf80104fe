import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { packageRoot } from '../../support/internals';

/** What setup.mjs made. */
export const packaging = JSON.parse(process.env.PACKAGING!) as {
  /** Removed after the tests. */
  readonly folder: string;
  readonly tarball: string;
  readonly registry: string;
  /** The node_modules with the tools. */
  readonly tools: string;
};

export const tool = (path: string): string => join(packaging.tools, path);

export const { version } = JSON.parse(
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- data
  JSON.stringify(require(join(packageRoot, 'package.json'))),
) as { version: string };

/** A folder with the programs of `programs/`, a manifest, and other files. */
export function makeProject(files: Readonly<Record<string, string>> = {}): string {
  const project = realpathSync(mkdtempSync(join(packaging.folder, 'project-')));
  cpSync(join(__dirname, '..', 'programs'), project, { recursive: true });
  const manifest = { name: 'project', private: true, dependencies: { 'atomic-log': version } };
  const all = { 'package.json': JSON.stringify(manifest), ...files };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(project, name)), { recursive: true });
    writeFileSync(join(project, name), text);
  }
  return project;
}

/** Nothing of this repository's or the user's own settings reaches the project. */
function cleanEnvironment(project: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|yarn_|pnpm_|atomic_log_|node_path)/i.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    HOME: join(project, 'home'),
    NPM_CONFIG_USERCONFIG: join(project, 'home', '.npmrc'),
    NPM_CONFIG_CACHE: join(project, 'home', 'npm-cache'),
    XDG_CACHE_HOME: join(project, 'home', 'cache'),
    XDG_DATA_HOME: join(project, 'home', 'data'),
    npm_config_registry: packaging.registry,
  };
}

export interface Result {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a program in a project. Not synchronously: the registry answers from this process' parent. */
export async function attempt(
  project: string,
  program: string,
  args: readonly string[],
  variables: NodeJS.ProcessEnv = {},
): Promise<Result> {
  const child = spawn(program, args, {
    cwd: project,
    env: { ...cleanEnvironment(project), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  return { status, output, errors };
}

/** The same, for what must succeed; returns what it printed. */
export async function run(...args: Parameters<typeof attempt>): Promise<string> {
  const { status, output, errors } = await attempt(...args);
  if (status !== 0)
    throw new Error(`${args[1]} ${args[2].join(' ')}: status ${status}\n${output}\n${errors}`);
  return output;
}

/** The node_modules of such a project. npm makes it once; install.test.ts watches npm and others at it. */
async function installedModules(): Promise<string> {
  // Not under the name that the projects next to it would be searched for.
  const modules = join(packaging.folder, 'installed');
  if (existsSync(modules)) return modules;
  const project = makeProject();
  await run(project, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund']);
  const made = join(project, 'node_modules');
  try {
    renameSync(made, modules);
    return modules;
  } catch (error) {
    // Another test file, which runs at the same time, was first.
    if (existsSync(modules)) return made;
    throw error;
  }
}

/** A project in which npm has installed the package, with scripts blocked. */
export async function installedProject(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const project = makeProject(files);
  const options = { recursive: true, verbatimSymlinks: true };
  cpSync(await installedModules(), join(project, 'node_modules'), options);
  return project;
}

/** What the programs print when all is well; the addon is the prebuilt one. */
export interface Report {
  readonly sum: number;
  readonly addonPath: string;
}

export function expectReport(output: string, folder: string): void {
  const { sum, addonPath } = JSON.parse(output.trim().split('\n').at(-1)!) as Report;
  expect(sum).toBe(4950);
  expect(addonPath).toContain(join('prebuilds', `${process.platform}-${process.arch}`));
  expect(realpathSync(addonPath).startsWith(folder)).toBe(true);
}
