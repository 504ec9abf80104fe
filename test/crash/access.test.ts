// Directories that may not be written, or are gone, with the files of the system.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';

import { Wal, WalReader } from 'atomic-log';

import { rejection } from '../support/errors';
import { packageRoot } from '../support/internals';
import { runtime } from '../support/runtime';
import { temporaryDirectory } from '../support/segments';
import { entry, expectIntact, fill, lsnsOf, range, SMALL_FILES, withWal } from '../support/wals';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

/** What a program in the child can use. */
const prelude = `
  const { chmodSync, readdirSync } = require('node:fs');
  const { Wal, WalReader } = require(${JSON.stringify(packageRoot)});
  const path = process.argv[1];
  const options = { segmentBytes: 8192 };
  const told = {};
  const failureOf = (work) => {
    try { work(); } catch ({ code, message, path, cause }) { return { code, message, path, cause: cause && cause.code }; }
  };
  const tell = () => console.log(JSON.stringify(told));
`;

interface Refusal {
  code: string;
  message: string;
  path: string;
  cause: string;
}

function node(
  source: string,
  wrapper: readonly string[] = [],
): { status: number | null; stdout: string; stderr: string } {
  const [command, ...args] = [...wrapper, process.execPath, '--eval', prelude + source, path()];
  return spawnSync(command!, args, { encoding: 'utf8' });
}

function told<T>(source: string, wrapper?: readonly string[]): T {
  const { status, stdout, stderr } = node(source, wrapper);
  if (status !== 0) throw new Error(`${status}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** The superuser is refused nothing: its tests run as somebody else. */
const unprivileged = isRoot ? ['setpriv', `--reuid=${NOBODY}`, '--clear-groups'] : [];
const canRun = runtime === 'node' && process.platform !== 'win32' && node('', unprivileged).status === 0;

/** Makes the log belong to whom the child runs as. */
function giveAway(): void {
  chmodSync(directory.root(), 0o755);
  if (!isRoot) return;
  for (const each of [
    path(),
    ...readdirSync(path(), { recursive: true, encoding: 'utf8' }).map((name) => join(path(), name)),
  ])
    chownSync(each, NOBODY, NOBODY);
}

const state = (): [string, Buffer][] =>
  readdirSync(path())
    .filter((name) => name !== 'cursors')
    .sort()
    .map((name) => [name, readFileSync(join(path(), name))]);

// Root may do everything: another user tries, who cannot be had without setpriv.
(canRun ? describe : describe.skip)(
  'rights that are missing (needs a user who is not root, or setpriv)',
  () => {
    test('a read-only directory: no writer, nothing changed, but readers', () => {
      withWal(path(), (wal) => fill(wal, 200));
      giveAway();
      chmodSync(path(), 0o555);
      const before = state();
      const { opened, read } = told<{ opened: Refusal; read: number }>(
        `told.opened = failureOf(() => Wal.openSync(path, options));
       told.read = [...WalReader.open(path).entries()].length;
       tell();`,
        unprivileged,
      );
      expect(opened).toMatchObject({ code: 'ERR_FILE_ACCESS', cause: 'EACCES', path: path() });
      expect(opened.message).toMatch(/permissions.*WalReader/);
      expect(read).toBe(200);
      expect(state()).toEqual(before);
      chmodSync(path(), 0o755);
      withWal(path(), (wal) => expectIntact(wal, 1, 200));
    });

    test('a file that may not be written is named', () => {
      withWal(path(), (wal) => fill(wal, 3));
      giveAway();
      const file = join(path(), 'wal-000001.log');
      chmodSync(file, 0o444);
      const { opened } = told<{ opened: Refusal }>(
        'told.opened = failureOf(() => Wal.openSync(path, options)); tell();',
        unprivileged,
      );
      expect(opened).toMatchObject({ code: 'ERR_FILE_ACCESS', cause: 'EACCES', path: file });
      withWal(path(), (wal) => expectIntact(wal, 1, 3));
    });

    test('a directory that becomes read-only costs what needs another file, not the log', () => {
      withWal(path(), (wal) => fill(wal, 1));
      giveAway();
      const { lsns, refused, rejected, later, files } = told<{
        lsns: number[];
        refused: Refusal;
        rejected: Refusal;
        later: number;
        files: number;
      }>(
        `(async () => {
        const wal = Wal.openSync(path, options);
        chmodSync(path, 0o555);
        told.lsns = [];
        told.refused = failureOf(() => { for (;;) told.lsns.push(wal.appendSync(Buffer.alloc(1000))); });
        told.rejected = await wal.append(Buffer.alloc(1000)).catch(({ code, cause }) => ({ code, cause: cause.code }));
        chmodSync(path, 0o755);
        told.later = await wal.append(Buffer.alloc(1000));
        told.files = wal.files.length;
        await wal.close();
        tell();
      })();`,
        unprivileged,
      );
      expect(lsns).toEqual(range(2, lsns.length + 1));
      expect(refused).toMatchObject({ code: 'ERR_FILE_ACCESS', cause: 'EACCES' });
      expect(rejected).toEqual({ code: 'ERR_FILE_ACCESS', cause: 'EACCES' });
      expect([later, files]).toEqual([lsns.length + 2, 2]);
      withWal(path(), (wal) => expect(lsnsOf(wal.entries())).toEqual(range(1, later)));
    });
  },
);

const canMount = ((): boolean => {
  if (!isRoot || runtime !== 'node' || !existsSync('/usr/bin/unshare')) return false;
  return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
})();

// Mounting needs root, and a place of its own for mounts, which unshare makes.
(canMount ? test : test.skip)(
  'a read-only file system: no writer, but readers (needs root and unshare)',
  () => {
    withWal(path(), (wal) => fill(wal, 200));
    const before = state();
    // Seen by the child alone, and gone with it.
    const mounted = ['unshare', '--mount', 'sh', '-c', 'mount --bind -o ro "$0" "$0" && exec "$@"', path()];
    const { opened, created, read } = told<{ opened: Refusal; created: Refusal; read: number }>(
      `told.opened = failureOf(() => Wal.openSync(path, options));
     told.created = failureOf(() => Wal.openSync(path + '/inner', options));
     told.read = [...WalReader.open(path).entries()].length;
     tell();`,
      mounted,
    );
    expect(opened).toMatchObject({ code: 'ERR_FILE_ACCESS', cause: 'EROFS', path: path() });
    expect(opened.message).toMatch(/not read-only/);
    expect(created).toMatchObject({ code: 'ERR_FILE_ACCESS', cause: 'EROFS' });
    expect(read).toBe(200);
    expect(state()).toEqual(before);
  },
);

// Windows refuses to delete or rename what is open.
(process.platform === 'win32' ? describe.skip : describe)('a directory that is gone', () => {
  test('costs what needs a name in it; closing works, and the log begins anew', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    await wal.append(entry(1));
    rmSync(path(), { recursive: true });
    expect(() => wal.checkpointSync(1)).toThrow(expect.objectContaining({ code: 'ERR_FILE_NOT_FOUND' }));
    const refused = await rejection(
      (async () => {
        for (;;) await wal.append(Buffer.alloc(1000));
      })(),
    );
    expect(refused).toMatchObject({ code: 'ERR_FILE_NOT_FOUND', path: join(path(), 'LOCK') });
    expect(refused.message).toMatch(/check the path/);
    expect(existsSync(path())).toBe(false);
    await wal.close();
    withWal(path(), (again) => expect(again.lastLsn).toBe(0));
  });

  test('retention that cannot delete ends nothing', () => {
    const { firstLsn, later } = told<{ firstLsn: number; later: string }>(
      `(async () => {
        const wal = await Wal.open(path, { ...options, retainBytes: 8192 });
        while (wal.files.length < 2) wal.appendSync(Buffer.alloc(1000));
        // The file is sealed, the directory goes, and only then it is the turn of retention.
        require('node:fs').rmSync(path, { recursive: true });
        await new Promise((resolve) => setImmediate(resolve));
        told.firstLsn = wal.firstLsn;
        told.later = await wal.append(Buffer.alloc(10)).then(() => 'resolved');
        await wal.close();
        tell();
      })();`,
    );
    expect({ firstLsn, later }).toEqual({ firstLsn: 1, later: 'resolved' });
  });

  test('another log in its place is not touched', async () => {
    const wal = await Wal.open(path(), SMALL_FILES);
    fill(wal, 10);
    renameSync(path(), directory.path('moved'));
    mkdirSync(path());
    withWal(path(), (other) => fill(other, 300));
    const before = state();
    const refused = await rejection(
      (async () => {
        for (;;) await wal.append(Buffer.alloc(1000));
      })(),
    );
    expect(refused.code).toBe('ERR_FILE_NOT_FOUND');
    expect(() => wal.checkpointSync(5)).toThrow(expect.objectContaining({ code: 'ERR_FILE_NOT_FOUND' }));
    const { durableLsn } = wal;
    await wal.close();
    expect(state()).toEqual(before);
    using reader = WalReader.open(directory.path('moved'));
    expect(reader.lastLsn).toBe(durableLsn);
  });
});
