// The process-wide barrier of Linux, whose registration takes milliseconds in a
// process with threads: seen by way of strace where it is there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

import { packageRoot } from '../support/internals';
import { runtime } from '../support/runtime';
import { temporaryDirectory } from '../support/segments';

const directory = temporaryDirectory();

const REGISTER = 'MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED';

/** The barrier's system calls of a program, in order, and what it prints. */
function traced(program: string, ...inject: string[]): { commands: string[]; output: string } {
  const trace = directory.path('trace');
  const injections = inject.flatMap((what) => ['-e', `inject=${what}`]);
  const strace = ['-f', '-qq', '-o', trace, '-e', 'trace=membarrier', ...injections];
  const source = `const { AtomicLog } = require(${JSON.stringify(packageRoot)});
    const { writer, log } = AtomicLog.claimed({ retainedCapacity: 64, segmentCapacity: 64 });
    ${program}`;
  const { stdout, stderr, status } = spawnSync('strace', [...strace, process.execPath, '--eval', source], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${status}: ${stderr}`);
  const lines = readFileSync(trace, 'utf8').split('\n');
  const commands = lines.flatMap((line) => /membarrier\((\w+)/.exec(line)?.[1] ?? []);
  return { commands, output: stdout.trim() };
}

const FOLLOW = `
  (async () => {
    setTimeout(() => writer.append(7), 5);
    for await (const batch of log.follow()) {
      console.log([...batch][0]);
      break;
    }
  })();`;

function canTrace(): boolean {
  if (runtime !== 'node' || !existsSync('/usr/bin/strace')) return false;
  return spawnSync('strace', ['-o', '/dev/null', '/bin/true']).status === 0;
}

// The calls of the system are counted by strace, which may not be there, or not be allowed to trace.
(canTrace() ? describe : describe.skip)('the process-wide barrier', () => {
  test('is not registered by loading the package, writing and reading', () => {
    const { commands, output } = traced('writer.append(7); console.log(log.latest());');
    expect(output).toBe('7');
    expect(commands).not.toContain(REGISTER);
  });

  test('is registered once, by the first follower', () => {
    const { commands, output } = traced(FOLLOW + FOLLOW);
    expect(output).toBe('7\n7');
    expect(commands.filter((command) => command === REGISTER)).toHaveLength(1);
    expect(commands).toContain('MEMBARRIER_CMD_PRIVATE_EXPEDITED');
  });

  test('is the slow one where the system has no memory for the registration', () => {
    // The first call asks what there is, the second registers.
    const { commands, output } = traced(FOLLOW, 'membarrier:error=ENOMEM:when=2');
    expect(output).toBe('7');
    expect(commands).toContain('MEMBARRIER_CMD_GLOBAL');
    expect(commands).not.toContain('MEMBARRIER_CMD_PRIVATE_EXPEDITED');
  });
});
