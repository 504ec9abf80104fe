// Processes that share a log, really killed: no one reads what was not appended, nothing that was published
// is missing, another writer takes over, and no pin of the dead is left.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { AtomicLog } from 'atomic-log';

import { packageRoot } from '../support/internals';
import { describeProcesses } from '../support/processes';
import { temporaryDirectory } from '../support/segments';
import { sized } from '../support/sizes';

const directory = temporaryDirectory();
const KILLS = sized('PROCESS_KILLS', { small: 8, long: 400 });
const OPTIONS = {
  schema: { n: 'u32', x: 'f64', text: 'utf8' },
  retainedCapacity: 200,
  segmentCapacity: 20,
  extraSegments: 30,
  dataBytes: 2000,
} as const;
/** As in process-member.cjs. */
const entryOf = (index: number) => ({ n: index, x: index / 7, text: `entry ${index} `.repeat(index % 4) });

class Member {
  readonly #child: ChildProcess;
  readonly opened: Promise<void>;
  readonly ended: Promise<unknown>;
  published = -1;
  wrong: string[] = [];

  constructor(
    readonly role: 'write' | 'read' | 'follow' | 'peek',
    path: string,
  ) {
    const program = join(__dirname, 'process-member.cjs');
    this.#child = spawn(process.execPath, [program, packageRoot, path, role], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    const lines = createInterface({ input: this.#child.stdio[3] as Readable });
    this.ended = Promise.all([once(lines, 'close'), once(this.#child, 'exit')]);
    this.opened = new Promise((resolve) => {
      lines.on('line', (line) => {
        const [word, index] = line.split(' ');
        if (word === 'wrong') this.wrong.push(line);
        if (word === 'opened' || word === 'published') this.published = Number(index);
        if (word === 'opened') resolve();
      });
    });
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
    expect(this.#child.signalCode).toBe('SIGKILL');
    expect(this.wrong).toEqual([]);
  }
}

describeProcesses('processes that share a log', () => {
  test(
    `${KILLS} kills`,
    async () => {
      const path = directory.path('log');
      const log = await AtomicLog.open(path, OPTIONS);
      const members = (['write', 'read', 'follow', 'peek'] as const).map((role) => new Member(role, path));
      await Promise.all(members.map((member) => member.opened));
      let published = 0;
      for (let kill = 0; kill < KILLS; ++kill) {
        await new Promise((resolve) => setTimeout(resolve, (kill * 13) % 40));
        const at = [0, 1, 0, 2, 0, 3][kill % 6]!;
        const victim = members[at]!;
        await victim.kill();
        if (victim.role === 'write') {
          published = Math.max(published, victim.published);
          // Every entry of which the dead writer said that it was published.
          expect(log.endIndex).toBeGreaterThanOrEqual(published);
        }
        using snapshot = log.snapshot();
        let index = snapshot.firstIndex;
        for (const entry of snapshot) expect(entry).toEqual(entryOf(index++));
        members[at] = new Member(victim.role, path);
        await members[at].opened;
      }
      expect(published).toBeGreaterThan(0);
      for (const member of members) await member.kill();
      // After all of them, for who only reads it.
      using reader = AtomicLog.openSync<ReturnType<typeof entryOf>>(path, { readOnly: true });
      expect(reader.endIndex).toBe(log.endIndex);
      using window = reader.snapshot();
      expect([...window]).toEqual([...window].map((_, i) => entryOf(window.firstIndex + i)));

      using writer = await log.waitForWriter();
      // Every block once more.
      const rolls = OPTIONS.retainedCapacity / OPTIONS.segmentCapacity + OPTIONS.extraSegments + 5;
      for (let i = 0; i < rolls * OPTIONS.segmentCapacity; ++i) writer.append(entryOf(writer.nextIndex));
      expect(log.stats().pinnedSegments).toBe(0);
      log.close();
    },
    120_000 + KILLS * 5000,
  );

  test('a follower of another process is woken, and hears of the end', async () => {
    const path = directory.path('log');
    const log = await AtomicLog.open(path, { ...OPTIONS, schema: { n: 'u32', x: 'f64', text: 'utf8' } });
    using writer = log.tryClaimWriter()!;
    const follower = new Member('follow', path);
    await follower.opened;
    for (let i = 0; i < 50; ++i) {
      writer.append(entryOf(writer.nextIndex));
      if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    writer.end();
    // By itself: there is nothing left to do.
    await follower.ended;
    expect(follower.wrong).toEqual([]);
    log.close();
  });
});
