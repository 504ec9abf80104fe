/** Few descriptors: a shortage is an error of its own, whatever it keeps from being asked. */
import { execFileSync } from 'node:child_process';

import { AtomicLog } from 'atomic-log';

import { packageRoot } from '../../support/internals';
import { describeProcesses } from '../../support/processes';
import { temporaryDirectory } from '../../support/segments';

const directory = temporaryDirectory();
const path = () => directory.path('log');
const onLinux = process.platform === 'linux' ? test : test.skip;
const SMALL = { retainedCapacity: 20, segmentCapacity: 5 } as const;

/** Runs in a process that may have few files open; `leave(count, work)` lets so many be opened meanwhile. */
function withFewDescriptors(source: string): unknown {
  const prelude = `
    const { AtomicLog } = require(${JSON.stringify(packageRoot)});
    const { openSync, closeSync } = require('node:fs');
    const path = ${JSON.stringify(path())};
    const codeOf = (work) => { try { work().close(); return 'done'; } catch (error) { return error.code; } };
    function leave(count, work) {
      const taken = [];
      try { for (;;) taken.push(openSync('/dev/null')); } catch {}
      for (let i = 0; i < count; ++i) closeSync(taken.pop());
      try { return work(); } finally { taken.forEach((each) => closeSync(each)); }
    }
  `;
  const limited = ['-c', 'ulimit -n 100 && exec "$0" "$@"', process.execPath, '--eval', prelude + source];
  return JSON.parse(execFileSync('sh', limited, { cwd: packageRoot, encoding: 'utf8' }));
}

describeProcesses('a process that has no descriptor left', () => {
  onLinux('does not take a log that is used for one of an earlier run of the system', () => {
    const log = AtomicLog.openSync(path(), SMALL);
    log.tryClaimWriter()!.append(7);
    const found = withFewDescriptors(`
      AtomicLog.openSync(path, { create: false }).close();
      const open = (options) => () => AtomicLog.openSync(path, options);
      const ways = [{ create: false }, { readOnly: true }, ${JSON.stringify(SMALL)}];
      const codes = [0, 1, 4].map((count) => ways.map((way) => leave(count, () => codeOf(open(way)))));
      console.log(JSON.stringify(codes));
    `);
    const refused = Array<string>(3).fill('ERR_TOO_MANY_FILES');
    expect(found).toEqual([refused, refused, Array<string>(3).fill('done')]);
    expect(log.isReplaced).toBe(false);
    log.close();
  });

  onLinux('is told so by what the package loads when it is first needed, and may try again', () => {
    AtomicLog.openSync(path(), SMALL).close();
    const found = withFewDescriptors(`
      const atomicLog = require(${JSON.stringify(packageRoot)});
      const join = () => AtomicLog.openSync(path, { create: false });
      const journal = () => AtomicLog.openSync({ ...${JSON.stringify(SMALL)}, wal: path + '-wal' });
      const wal = () => atomicLog.Wal.openSync(path + '-wal');
      const ways = [join, journal, wal];
      const refused = leave(0, () => ways.map(codeOf));
      leave(0, () => { try { join() } catch ({ message }) { refused.push(/ulimit -n/.test(message)) } });
      console.log(JSON.stringify([refused, ways.map(codeOf)]));
    `);
    const code = 'ERR_TOO_MANY_FILES';
    expect(found).toEqual([
      [code, code, code, true],
      ['done', 'done', expect.anything()],
    ]);
  });
});
