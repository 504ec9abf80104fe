/**
 * What the examples must do, wherever they are: in this repository, where they use what was built
 * here, or next to an installed package.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { WebSocket } from 'ws';

type Child = ChildProcessByStdio<Writable, Readable, null>;

export interface Place {
  /** The folder `examples`. */
  readonly examples: string;
  /** An empty folder. */
  readonly directory: string;
}

const running = new Set<Child>();

function start(file: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** After a test that failed, too. */
export function endExamples(): void {
  for (const child of running) child.kill('SIGKILL');
}

const firstLine = async ({ stdout }: Child): Promise<Record<string, unknown>> => {
  const [line] = (await once(createInterface({ input: stdout }), 'line')) as [string];
  return JSON.parse(line) as Record<string, unknown>;
};

/** Its lines, as JSON, when it has ended well. */
async function linesOf(child: Child, input = ''): Promise<Record<string, unknown>[]> {
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code).toBe(0);
  return printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function stop(child: Child): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const [code, signal] = (await ended) as [number | null, string | null];
  // Windows has no signals that a program could catch.
  if (process.platform !== 'win32') expect({ code, signal }).toEqual({ code: 0, signal: null });
}

async function textOf(url: string): Promise<string> {
  const [response] = (await once(get(url), 'response')) as [AsyncIterable<Buffer>];
  let text = '';
  for await (const part of response) text += String(part);
  return text;
}

export async function checkMarketHub({ examples }: Place): Promise<void> {
  const lines = await linesOf(start(join(examples, 'market-hub', 'main.mjs'), ['0.5', '20000']));
  const [momentum, meanReversion, slow, all] = lines;
  expect(all).toEqual({ published: 10_000, isComplete: true });
  expect(momentum).toMatchObject({ name: 'momentum' });
  expect(slow).toMatchObject({ name: 'slow' });
  // Both saw the same ticks, where neither lost any.
  if (momentum!.lost === 0 && meanReversion!.lost === 0) {
    expect(Number(momentum!.profit) + Number(meanReversion!.profit)).toBeCloseTo(0, 1);
    expect(meanReversion!.volume).toBe(momentum!.volume);
  }
}

/** The agent answers while the service does not. */
export async function checkMetrics({ examples }: Place): Promise<void> {
  const child = start(join(examples, 'metrics', 'main.mjs'), ['0', '0']);
  const { port, metricsPort } = await firstLine(child);
  const service = `http://127.0.0.1:${String(port)}`;
  const metrics = (): Promise<string> => textOf(`http://127.0.0.1:${String(metricsPort)}/metrics`);
  for (const path of ['/health', '/health', '/none']) await textOf(service + path);
  let [answers, requests] = [0, 0];
  // Only where the agent gets no processor for a second is there none; then it is asked again.
  for (; answers === 0 && requests < 10; ++requests) {
    let isOver = false;
    const busy = textOf(`${service}/work/1000`).then(() => (isOver = true));
    while (!isOver && answers < 3) {
      expect(await metrics()).toMatch(/^requests_lost_total 0$/m);
      if (!isOver) ++answers;
    }
    await busy;
  }
  expect(answers).toBeGreaterThan(0);
  const count = (route: string, status: number): RegExp =>
    new RegExp(`^request_duration_ms_count\\{route="${route}",status="${status}"\\} (\\d+)$`, 'm');
  let text = await metrics();
  while (count('work', 200).exec(text)?.[1] !== String(requests)) text = await metrics();
  expect(count('health', 200).exec(text)![1]).toBe('2');
  expect(count('other', 404).exec(text)![1]).toBe('1');
  expect(text).toMatch(/route="work",status="200",le="500"\} 0\n/);
  await stop(child);
}

/** A projection that is killed counts each event once. */
export async function checkProjections({ examples, directory }: Place): Promise<void> {
  const [log, view] = [join(directory, 'events'), join(directory, 'view.json')];
  const projection = (...args: string[]): Child =>
    start(join(examples, 'projections', 'projection.mjs'), [log, view, ...args]);
  const command = (account: string, amount: number): string => `${JSON.stringify({ account, amount })}\n`;
  const store = (input: string): Promise<Record<string, unknown>[]> =>
    linesOf(start(join(examples, 'projections', 'store.mjs'), [log]), input);

  const killed = projection();
  const first = Array.from({ length: 200 }, (_, i) => command(i % 2 === 0 ? 'ada' : 'ben', 1)).join('');
  expect(await store(first + command('cyd', -1))).toHaveLength(201);
  // It has some of them by then, or all: each time it is killed somewhere else.
  while (!isThere(view)) await new Promise((resolve) => setTimeout(resolve, 10));
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const answers = await store(command('ada', -30) + command('ben', -500) + command('cyd', 7));
  expect(answers.filter(({ refused }) => refused !== undefined)).toEqual([{ refused: 'ben has too little' }]);
  expect(answers.filter(({ lsn }) => lsn !== undefined)).toEqual([{ lsn: 201 }, { lsn: 202 }]);
  const [last] = await linesOf(projection('202'));
  expect(last).toMatchObject({ events: 202, balances: { ada: 70, ben: 100, cyd: 7 }, lsn: 202 });
}

function isThere(file: string): boolean {
  try {
    return readFileSync(file, 'utf8') !== '';
  } catch {
    return false;
  }
}

export async function checkHttpJournal({ examples, directory }: Place, kills: number): Promise<void> {
  const journal = join(directory, 'journal');
  const [result] = await linesOf(
    start(join(examples, 'http-journal', 'kill.mjs'), [journal, String(kills), '100']),
  );
  expect(result).toMatchObject({ kills, missing: 0 });
  expect(Number(result!.acknowledged)).toBeGreaterThanOrEqual(20 * kills);
  expect(Number(result!.stored)).toBeGreaterThanOrEqual(Number(result!.acknowledged));

  const server = start(join(examples, 'http-journal', 'server.mjs'), [journal, '0']);
  const { port, lastLsn } = await firstLine(server);
  expect(lastLsn).toBe(result!.stored);
  const url = `http://127.0.0.1:${String(port)}/events`;
  const events = JSON.parse(await textOf(`${url}?from=2&limit=3`)) as { lsn: number }[];
  expect(events.map(({ lsn }) => lsn)).toEqual([2, 3, 4]);
  expect(JSON.parse(await textOf(`${url}?from=x`))).toMatchObject({ code: 'FST_ERR_VALIDATION' });
  expect(JSON.parse(await textOf(`${url}?from=9999999`))).toEqual([]);
  await stop(server);
}

/** Two clients get the same points, in order; what one misses is counted. */
export async function checkChart({ examples }: Place): Promise<void> {
  const child = start(join(examples, 'chart', 'server.mjs'), ['0', '20000']);
  const { port } = await firstLine(child);
  await Promise.all([1, 2].map(() => readChart(Number(port), 5000)));
  await stop(child);
}

async function readChart(port: number, points: number): Promise<void> {
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  let next: number | undefined;
  let seen = 0;
  await new Promise<void>((resolve, reject) => {
    client.on('error', reject).on('message', (data: Buffer) => {
      const message = new Float64Array(Uint8Array.from(data).buffer);
      const [firstIndex, lost, length] = message as unknown as [number, number, number];
      if (next !== undefined && firstIndex !== next + lost)
        reject(new Error(`points ${next} to ${firstIndex} are missing, and ${lost} are said to be`));
      for (let i = 0; i < length; ++i) {
        const [time, value] = [message[3 + i]!, message[3 + length + i]!];
        if (time !== firstIndex + i || value !== Math.sin(time / 1000))
          reject(new Error(`point ${time} is another one`));
      }
      next = firstIndex + length;
      seen += length;
      if (seen >= points) resolve();
    });
  });
  client.terminate();
}
