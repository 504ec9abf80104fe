/**
 * Why a binary that is there, and fits, does not load: something forbids it. Then
 * building another one does not help, and the error names what forbids it and how to
 * allow it. Called on the way to an error only.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

interface NamedError {
  readonly name?: string;
  readonly code?: string;
  readonly message: string;
}

/** Deno's own errors carry a name, and no code; Deno 1 had the other name. */
function isDenos({ name }: NamedError): boolean {
  return name === 'NotCapable' || name === 'PermissionDenied';
}

/** The mounts of a table as in /proc/mounts: where, and with what options. */
function mountsOf(table: string): { point: string; options: string[] }[] {
  return table.split('\n').flatMap((line) => {
    const [, point, , options] = line.split(' ');
    if (point === undefined || options === undefined) return [];
    // Spaces and the like are octal there.
    const decoded = point.replace(/\\([0-7]{3})/g, (_, code: string) =>
      String.fromCharCode(parseInt(code, 8)),
    );
    return [{ point: decoded, options: options.split(',') }];
  });
}

/** The mount that the file (a real path) lies on, if no code may be run from there; Linux only. */
export function noexecMountOf(path: string, table: () => string = readMounts): string | undefined {
  let found: { point: string; options: string[] } | undefined;
  try {
    for (const mount of mountsOf(table())) {
      const folder = mount.point === '/' ? '/' : `${mount.point}/`;
      // Of two on one place, the later one is seen.
      if (path.startsWith(folder) && mount.point.length >= (found?.point.length ?? 0)) found = mount;
    }
  } catch {
    // Another system, or one that does not show its mounts.
  }
  return found?.options.includes('noexec') ? found.point : undefined;
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function readMounts(): string {
  return readFileSync('/proc/self/mounts', 'utf8');
}

/** glibc, musl, macOS (signatures) and Windows (policies), in their words. */
const FORBIDDEN =
  /failed to map segment|not permitted|permission denied|access is denied|code signature|team id|disallowed|policy|blocked/i;

/** What to say of an error of `dlopen`; undefined when nothing forbade it. */
export function loadRefusal(path: string, error: unknown): string | undefined {
  const cause = error as NamedError;
  const binary = `atomic-log's binary ${path}`;
  if (cause.code === 'ERR_DLOPEN_DISABLED') {
    return 'permission' in process
      ? `Node's permission model forbids ${binary}: start node with --allow-addons`
      : `Node's flag --no-addons forbids ${binary}: start node without it`;
  }
  if (isDenos(cause)) return `Deno forbids ${binary}: run deno with --allow-ffi and --allow-read`;
  if (!FORBIDDEN.test(cause.message)) return undefined;
  const mount = noexecMountOf(realPathOf(path));
  return mount === undefined
    ? `the system forbids this process to load ${binary}: allow it there, as the cause says (rights of the file, signature, policy)`
    : `the system runs no code from ${binary}: ${mount} is mounted with noexec; mount it without, ` +
        'or copy the file to where code may run and name the copy in ATOMIC_LOG_PREBUILD';
}

/** What to say when the process may not even look whether the binary is there. */
export function lookRefusal(path: string, error: unknown): string {
  const [runtime, flag] = isDenos(error as NamedError)
    ? ['deno', '--allow-ffi --allow-read']
    : ['node', '--allow-addons --allow-fs-read'];
  const folder = dirname(dirname(path));
  return `this process may not look for atomic-log's binary in ${folder}: start ${runtime} with ${flag}=${folder}`;
}
