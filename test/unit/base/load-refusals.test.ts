// What forbids a binary, in the words of systems and runtimes, and what to do then.
import { loadRefusal, lookRefusal, noexecMountOf } from '../../../lib/base/load-refusals';

describe('the mount of a file', () => {
  const table = [
    'overlay / overlay rw,relatime 0 0',
    'tmpfs /tmp tmpfs rw,nosuid,noexec 0 0',
    '/dev/sdb /tmp/app ext4 rw,relatime 0 0',
    '/dev/sdc /mnt/two\\040words ext4 ro,noexec 0 0',
    'tmpfs /run tmpfs rw 0 0',
    'tmpfs /run tmpfs rw,noexec 0 0',
    '',
  ].join('\n');

  test.each([
    ['/app/a.node', undefined],
    ['/tmp/a.node', '/tmp'],
    ['/tmpfile/a.node', undefined],
    ['/tmp/app/a.node', undefined],
    ['/mnt/two words/a.node', '/mnt/two words'],
    ['/run/a.node', '/run'],
  ])('%s', (path, mount) => {
    expect(noexecMountOf(path, () => table)).toBe(mount);
  });

  test('all of the system', () => {
    expect(noexecMountOf('/app/a.node', () => 'overlay / overlay rw,noexec 0 0\n')).toBe('/');
  });

  test('is unknown where the system does not show it', () => {
    const hidden = (): string => {
      throw new Error('ENOENT');
    };
    expect(noexecMountOf('/tmp/a.node', hidden)).toBeUndefined();
  });
});

describe('an error of dlopen', () => {
  const path = '/nowhere/atomic-log.glibc.node';
  const refusalOf = (message: string, more: object = {}): string | undefined =>
    loadRefusal(path, Object.assign(new Error(message), more));

  test.each([
    'a.node: failed to map segment from shared object',
    'a.node: cannot open shared object file: Permission denied',
    'Error loading shared library a.node: Operation not permitted',
    "dlopen(a.node): code signature in 'a.node' not valid for use in process",
    'dlopen(a.node): library load disallowed by system policy',
    'Access is denied.\r\na.node',
    'An Application Control policy has blocked this file.\r\na.node',
  ])('that forbids: %s', (message) => {
    expect(refusalOf(message, { code: 'ERR_DLOPEN_FAILED' })).toMatch(
      /^the system forbids this process to load .*\/nowhere\/atomic-log\.glibc\.node: allow it/,
    );
  });

  test.each([
    'a.node: invalid ELF header',
    'a.node: wrong ELF class: ELFCLASS32',
    "/lib/libc.so.6: version `GLIBC_2.99' not found (required by a.node)",
    '%1 is not a valid Win32 application.\r\na.node',
  ])('that forbids nothing: %s', (message) => {
    expect(refusalOf(message, { code: 'ERR_DLOPEN_FAILED' })).toBeUndefined();
  });

  test.each(['NotCapable', 'PermissionDenied'])('of Deno: %s', (name) => {
    expect(refusalOf('Requires ffi access', { name })).toBe(
      `Deno forbids atomic-log's binary ${path}: run deno with --allow-ffi and --allow-read`,
    );
  });
});

test('not being allowed to look', () => {
  const path = '/app/prebuilds/linux-x64/atomic-log.glibc.node';
  expect(lookRefusal(path, Object.assign(new Error('no'), { code: 'ERR_ACCESS_DENIED' }))).toBe(
    "this process may not look for atomic-log's binary in /app/prebuilds: start node with --allow-addons --allow-fs-read=/app/prebuilds",
  );
  expect(lookRefusal(path, Object.assign(new Error('no'), { name: 'NotCapable' }))).toContain(
    'start deno with --allow-ffi --allow-read=/app/prebuilds',
  );
});
