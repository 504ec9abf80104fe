/** The example of a writer, a server and two readers, all of which are killed meanwhile. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { packageRoot } from '../support/internals';
import { describeWith } from '../support/servers';
import { sized } from '../support/sizes';

const SECONDS = sized('REPLICATED_SECONDS', { small: 2, long: 60 });

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...parameters: string[]): Promise<Ended> {
  const file = join(packageRoot, 'examples', 'replicated', 'main.mjs');
  const child = spawn(process.execPath, [file, ...parameters], { cwd: packageRoot });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

describeWith('nats-server', ['@nats-io/transport-node', '@nats-io/jetstream'])('a replicated log', () => {
  test('has every entry in each reader, whoever is killed', async () => {
    const { code, stdout, stderr } = await run('--seconds', String(SECONDS), '--kills');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    const reader = (name: string): string => `\\| ${name}( down)? [\\d,]+ lag [\\d,]+ \\([\\d,]+ ms\\)`;
    expect(lines.at(-2)).toMatch(
      new RegExp(
        `^[\\d.]+ s \\| writer [\\d,]+ \\| nats-server ${reader('reader 1')} ${reader('reader 2')}$`,
      ),
    );
    expect(lines.at(-1)).toMatch(/^each reader has all [\d,]+ entries, once and in order; \d+ kills$/);
  });

  test('says how it is used', async () => {
    const { code, stderr } = await run('--seconds', 'many');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^--seconds must be a positive number; got many\nusage: node main\.mjs /);
  });
});
