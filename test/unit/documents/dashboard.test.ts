// The demo's page in a real browser, and what its server refuses.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { request } from 'node:http';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { WebSocket } from 'ws';

import { packageRoot } from '../../support/internals';
import { runtime } from '../../support/runtime';

/** Where pictures of the page go, for the documents: `npm run docs:pictures`. */
const pictures = process.env['DASHBOARD_PICTURES'];
const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'];

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installed(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** The browser; or why there is none. */
function browser(): { path: string } | { missing: string } {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = CHROMIUM.flatMap((name) => folders.map((folder) => join(folder, name))).find(isThere);
  if (found === undefined) return { missing: `none of ${CHROMIUM.join(', ')} is installed` };
  return installed('playwright-core') ? { path: found } : { missing: 'playwright-core is not installed' };
}

let demo: ChildProcessByStdio<null, Readable, null>;
let url: string;

beforeAll(async () => {
  if (runtime !== 'node') return;
  // A small window: a reader that stalls loses something soon. Pictures are of the demo as it is.
  const args = pictures === undefined ? ['--window', '4096', '--rate', '20000'] : [];
  demo = spawn(process.execPath, [join(packageRoot, 'examples', 'demo', 'main.mjs'), '--web', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: demo.stdout }), 'line')) as [string];
  url = /http:\S+/.exec(line)![0];
});

afterAll(() => demo?.kill('SIGKILL'));

// It is made for Node.js.
const onNode = runtime === 'node' ? test : test.skip;
const found = browser();
const inBrowser = 'path' in found ? onNode : test.skip;
if ('missing' in found) console.warn(`The demo's page is not tested: ${found.missing}.`);

inBrowser('its plots move, its numbers are those of stats(), and a kill shows', async () => {
  const { path } = found as { path: string };
  const script = join(packageRoot, 'test', 'support', 'dashboard.mjs');
  const args = [script, url, path, ...(pictures === undefined ? [] : [join(packageRoot, pictures)])];
  const [code] = (await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit')) as [number];
  expect(code).toBe(0);
});

async function answerTo(path: string, headers: Record<string, string>, method = 'GET'): Promise<number> {
  const asked = request(new URL(path, url), { headers, method }).end();
  const [response] = (await once(asked, 'response')) as [Readable & { statusCode: number }];
  response.resume();
  return response.statusCode;
}

onNode('another name of this machine, a path and a method that it does not have are refused', async () => {
  const { port, host } = new URL(url);
  expect(await answerTo('/', { host })).toBe(200);
  expect(await answerTo('/', { host: `localhost:${port}` })).toBe(200);
  for (const other of ['example.org', `example.org:${port}`, '127.0.0.1', `127.0.0.1.example.org:${port}`])
    expect(await answerTo('/stats', { host: other })).toBe(421);
  expect(await answerTo('/server.mjs', { host })).toBe(404);
  expect(await answerTo('/stats', { host }, 'POST')).toBe(405);
});

onNode('a port that is taken is said to be, and nothing goes on running', async () => {
  const args = [join(packageRoot, 'examples', 'demo', 'main.mjs'), '--web', '--port', new URL(url).port];
  const second = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  second.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(second, 'close')) as [number];
  expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining('EADDRINUSE') as string });
});

onNode('pages of other sites get no connection', async () => {
  const { host } = new URL(url);
  const open = async (options: { origin?: string; headers?: Record<string, string> }): Promise<string> => {
    const socket = new WebSocket(`ws://${host}/live`, options);
    const opened = once(socket, 'open').then(() => 'open');
    const outcome = await Promise.race([
      opened,
      once(socket, 'unexpected-response').then(() => 'refused'),
    ]).catch(() => 'refused');
    socket.on('error', () => undefined).terminate();
    return outcome;
  };
  expect(await open({ origin: `http://${host}` })).toBe('open');
  expect(await open({ origin: 'http://example.org' })).toBe('refused');
  expect(await open({ origin: 'null' })).toBe('refused');
  expect(await open({})).toBe('refused');
  expect(await open({ origin: 'http://example.org', headers: { host: 'example.org' } })).toBe('refused');
});
