// @ts-check
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 */

const require = createRequire(import.meta.url);
const uplot = (/** @type {string} */ file) => require.resolve(`uplot/dist/${file}`);
const here = (/** @type {string} */ file) => new URL(file, import.meta.url);
const text = (/** @type {string} */ kind, /** @type {string | URL} */ path) => ({
  type: `text/${kind}; charset=utf-8`,
  body: readFileSync(path),
});

/** All that there is to get; a path is never taken for that of a file. */
const FILES = new Map([
  ['/', text('html', here('index.html'))],
  ['/client.js', text('javascript', here('client.js'))],
  ['/plots.js', text('javascript', here('plots.js'))],
  ['/format.js', text('javascript', here('../format.mjs'))],
  ['/style.css', text('css', here('style.css'))],
  ['/uplot.js', text('javascript', uplot('uPlot.esm.js'))],
  ['/uplot.css', text('css', uplot('uPlot.min.css'))],
]);

/** This machine, by the names under which its own browser asks for it. Any other name may be one that a page made point here. */
const HOSTS = ['127.0.0.1', 'localhost'];

/** @param {Request} request */
export function isForUs({ headers, socket }) {
  return HOSTS.some((host) => headers.host === `${host}:${socket.localPort}`);
}

/**
 * Whether the page that asks is ours. Browsers say so with every WebSocket, which they let pages of all sites open.
 *
 * @param {Request} request
 */
export function isFromUs(request) {
  return isForUs(request) && request.headers.origin === `http://${request.headers.host}`;
}

/**
 * A server of the page, and of what `statistics` returns as JSON.
 *
 * @param {() => object} statistics
 */
export function createSite(statistics) {
  return createServer((request, response) => {
    if (!isForUs(request)) return refuse(response, 421, 'This server is for 127.0.0.1 only.');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'Only GET.');
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (pathname === '/stats') {
      return send(response, 200, 'application/json', JSON.stringify(statistics()));
    }
    const file = FILES.get(pathname);
    if (file === undefined) return refuse(response, 404, 'Not here.');
    send(response, 200, file.type, file.body);
  });
}

/**
 * @param {Response} response
 * @param {number} status
 * @param {string} reason
 */
function refuse(response, status, reason) {
  send(response, status, 'text/plain; charset=utf-8', reason);
}

/**
 * @param {Response} response
 * @param {number} status
 * @param {string} type
 * @param {string | Buffer} body
 */
function send(response, status, type, body) {
  const port = response.socket?.localPort;
  const sockets = HOSTS.map((host) => `ws://${host}:${port}`).join(' ');
  response
    .writeHead(status, {
      'content-type': type,
      'content-security-policy':
        `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${sockets}; ` +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    .end(body);
}
