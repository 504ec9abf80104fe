/** A program that follows what the messages of a full disk say. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

import { packageRoot } from '../../../support/internals';
import { runtime } from '../../../support/runtime';
import { temporaryDirectory } from '../../../support/segments';

const directory = temporaryDirectory();

const mount = ['unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'];
const canMount =
  process.platform === 'linux' && runtime === 'node' && spawnSync(mount[0]!, mount.slice(1)).status === 0;

const program = `
const { Wal } = require(${JSON.stringify(packageRoot)});
const small = process.argv.at(-1);
const failure = async (call) => { try { await call(); } catch (error) { return error; } };
(async () => {
  const wal = await Wal.open(small + '/log', { segmentBytes: 256 << 10 });
  let error;
  while (error === undefined) error = await failure(() => wal.append(Buffer.alloc(3000)));
  const { lastLsn } = wal;
  const advice = /checkpoint\\(.*?\\)/.exec(error.message)?.[0];
  console.log(error.code, advice);
  // The call that the message names, as it stands there.
  await Function('wal', 'checkpoint', 'return ' + advice)(wal, (lsn) => wal.checkpoint(lsn));
  console.log((await wal.append(Buffer.alloc(3000))) - lastLsn);
  // Where there is no log that could give entries up, no checkpoint is named.
  const others = [() => Wal.open(small + '/other'), () => wal.backup(small + '/copy')];
  for (const call of others) {
    const { code, message } = await failure(call);
    console.log(code, message.replace(/^.*?: /, ''));
  }
  await wal.close();
})();`;

// Mounting needs root, and a place of its own for mounts, which unshare makes.
(canMount ? test : test.skip)('what the message says frees room (needs root and unshare)', () => {
  const small = directory.path('small');
  mkdirSync(small);
  const script = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"';
  const command = ['--mount', 'sh', '-c', script, small, process.execPath, '-e', program, small];
  const { stdout, stderr } = spawnSync('unshare', command, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual([
    'ERR_NO_SPACE checkpoint(wal.files[0].lastLsn)',
    '1',
    'ERR_NO_SPACE the disk is full; make room, then try again (see atomic-log/docs/operations.md#a-full-disk)',
    'ERR_NO_SPACE the disk is full; make room, then try again (see atomic-log/docs/operations.md#a-full-disk)',
  ]);
});
