// @ts-check
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { rowsOf } from '../displays/rows.mjs';
import { UsageError } from '../usage-error.mjs';
import { pointsOf } from './points.mjs';
import { createSite, isFromUs } from './site.mjs';

/**
 * @typedef {import('../displays/display.mjs').Display} Display
 * @typedef {import('../displays/display.mjs').View} View
 * @typedef {import('../live.mjs').Live} Live
 */

const PERIOD_MS = 250;
/** Between two batches of the series; the log keeps what comes meanwhile. */
const FRAME_MS = 50;
const READERS_MAX = 16;
const KILLED_SHOWN = 2;
/** What may wait in the socket of a client before it gets nothing more. */
const BUFFERED_BYTES_MAX = 1 << 18;

/**
 * The demo as a page for the browsers of this machine.
 *
 * @param {Live} live
 * @param {number} port
 * @returns {Promise<Display>}
 */
export async function openDashboard(live, port) {
  const { log } = live;
  const site = createSite(() => ({ ...log.stats(), firstIndex: log.firstIndex, endIndex: log.endIndex }));
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 });
  site.on('upgrade', (request, socket, head) => {
    if (!isFromUs(request)) return socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (client) => serve(client, live));
  });
  site.listen(port, '127.0.0.1');
  try {
    await once(site, 'listening');
  } catch (error) {
    throw new UsageError(`port ${port}: ${/** @type {Error} */ (error).message}`);
  }
  const address = /** @type {import('node:net').AddressInfo} */ (site.address());
  console.log(`http://127.0.0.1:${address.port}/   Ctrl-C ends.`);

  const broadcast = (/** @type {object} */ message) => {
    for (const client of sockets.clients) sendJson(client, message);
  };
  return {
    periodMs: PERIOD_MS,
    update: (view) => broadcast({ type: 'view', ...figuresOf(view, live) }),
    finish(view, verdict) {
      broadcast({ type: 'view', ...figuresOf(view, live) });
      broadcast({ type: 'end', ...verdict });
      if (verdict.passed) console.log(verdict.message);
      else console.error(verdict.message);
    },
    close() {
      for (const client of sockets.clients) client.close(1001);
      site.close();
    },
  };
}

/**
 * @param {WebSocket} client
 * @param {Live} live
 */
function serve(client, live) {
  const { label, fields, column } = live;
  let following = new AbortController();
  const follow = (/** @type {string} */ field) => {
    following.abort();
    following = new AbortController();
    // What fails here ends the connection, and the page says so.
    sendSeries(client, live, field, following.signal).catch(() => client.terminate());
  };
  client.on('error', () => {}).on('close', () => following.abort());
  client.on('message', (data) => {
    const order = parse(String(data));
    if (order.do === 'show' && fields.includes(order.field)) follow(order.field);
    else obey(order, live);
  });
  sendJson(client, { type: 'hello', label, fields, field: fields[column], readersMax: READERS_MAX });
  follow(fields[column]);
}

/**
 * What the buttons of the page ask for.
 *
 * @param {Record<string, any>} order
 * @param {Live} live
 */
function obey(order, { pool, pacer }) {
  if (order.do === 'pause') pacer.isPaused = true;
  if (order.do === 'go on') pacer.isPaused = false;
  if (order.do === 'add' && pool.alive.length < READERS_MAX) pool.add();
  const reader = pool.alive.find(({ name }) => name === order.reader);
  if (order.do === 'stall') reader?.stall();
  if (order.do === 'resume') reader?.resume();
  if (order.do === 'kill') void reader?.kill();
}

/**
 * One field of the records, as long as the client listens. One that is slow gets fewer points: the log drops what it
 * does not take, and no queue grows.
 *
 * @param {WebSocket} client
 * @param {Live} live
 * @param {string} field
 * @param {AbortSignal} signal
 */
async function sendSeries(client, { log }, field, signal) {
  try {
    for await (const batch of log.follow({ signal })) {
      // Copied: the batch is valid until the next one.
      client.send(pointsOf(batch, field));
      do await setTimeout(FRAME_MS, undefined, { signal });
      while (client.bufferedAmount > BUFFERED_BYTES_MAX);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/**
 * @param {View} view
 * @param {Live} live
 */
function figuresOf(view, { pool, pacer, now }) {
  const { written, perSecond, costNs, stats, window } = view;
  const lags = new Map(stats.readers.map(({ name, followers }) => [name, followers[0]?.lag]));
  const { readers, messages } = rowsOf(view);
  const rows = new Map(readers.map((row) => [row.name, row]));
  return {
    seconds: now() / 1e9,
    isPaused: pacer.isPaused,
    written,
    perSecond,
    costNs,
    window,
    bytes: stats.bytes,
    pinnedBytes: stats.pinnedBytes,
    readers: shownOf(pool.readers).map(({ name, state, report }) => ({
      ...rows.get(name),
      name,
      state,
      lost: report?.lost ?? 0,
      // One that is stalled reports nothing, but the log knows.
      lag: lags.get(name) ?? rows.get(name)?.lag ?? 0,
    })),
    messages,
  };
}

/**
 * Those that live, and the last ones that were killed.
 *
 * @param {readonly import('../reader-thread.mjs').ReaderThread[]} readers
 */
function shownOf(readers) {
  const killed = readers.filter(({ state }) => state === 'killed').slice(-KILLED_SHOWN);
  return readers.filter((reader) => reader.state !== 'killed' || killed.includes(reader));
}

/**
 * @param {WebSocket} client
 * @param {object} message
 */
function sendJson(client, message) {
  if (client.readyState === WebSocket.OPEN) client.send(JSON.stringify(message));
}

/**
 * @param {string} text
 * @returns {Record<string, any>}
 */
function parse(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
