// What other software makes of a view: each case hands one over and tells what
// arrived. Runs on every runtime; `require` of a peer throws where it is not there.
const childProcess = require('node:child_process');
const crypto = require('node:crypto');
const dgram = require('node:dgram');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { createRequire } = require('node:module');
const v8 = require('node:v8');
const { MessageChannel, receiveMessageOnPort } = require('node:worker_threads');
const zlib = require('node:zlib');
const { once, promised, receiveFrame, textOf } = require('./receivers.cjs');

/** What is not part of a runtime: the folder that it is installed in is the process' last argument. */
const peer = (name) => createRequire(join(process.argv.at(-1), 'package.json'))(name);

const bytesOf = (view) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
const whole = (view) => Buffer.from(bytesOf(view));
const file = join(tmpdir(), `handover-${process.pid}`);

/** What a receiver got, against what the view shows. */
const compare = (got, view) => (Buffer.compare(Buffer.from(got), whole(view)) === 0 ? '✓' : '✗');
/** The same memory, a copy of the right bytes, or something else. */
const sharedOr = (result, view) => {
  if (result.buffer === view.buffer && result.byteOffset === view.byteOffset) return '=';
  return compare(bytesOf(result), view);
};

async function written(view, write) {
  await write(view);
  const mark = compare(fs.readFileSync(file), view);
  fs.rmSync(file);
  return mark;
}

async function throughFile(view, write) {
  const descriptor = fs.openSync(file, 'w');
  try {
    await write(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  const mark = compare(fs.readFileSync(file), view);
  fs.rmSync(file);
  return mark;
}

/** What an HTTP server got as the body of what `send` asks. */
async function throughServer(view, send) {
  let body;
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    body = Buffer.concat(parts);
    response.end('done');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    await send(`http://127.0.0.1:${server.address().port}/`);
    return compare(body, view);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** What an HTTP client got from `respond`. */
async function throughResponse(view, respond) {
  const failures = [];
  const server = http.createServer((_, response) => {
    try {
      respond(response);
    } catch (error) {
      failures.push(error);
      response.destroy();
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const got = await promised((resolve, reject) => {
      http
        .get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => {
          const parts = [];
          response.on('data', (part) => parts.push(part)).on('end', () => resolve(Buffer.concat(parts)));
          response.on('error', reject);
        })
        .on('error', reject);
    });
    return compare(got, view);
  } catch (error) {
    throw failures[0] ?? error;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function request(url, send) {
  return promised((resolve, reject) => {
    const outgoing = http.request(url, { method: 'POST', agent: false }, (response) =>
      response.resume().on('end', resolve),
    );
    outgoing.on('error', reject);
    try {
      send(outgoing);
    } catch (error) {
      outgoing.on('error', () => undefined).destroy();
      reject(error);
    }
  });
}

async function throughSocket(view) {
  const server = net.createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const accepted = promised((resolve) => {
    server.on('connection', (socket) => {
      const parts = [];
      socket.on('data', (part) => parts.push(part)).on('end', () => resolve(Buffer.concat(parts)));
    });
  });
  const socket = net.connect(server.address().port, '127.0.0.1');
  socket.end(view);
  const got = await accepted;
  server.close();
  return compare(got, view);
}

async function throughDatagram(view) {
  const receiver = dgram.createSocket('udp4');
  await promised((resolve) => receiver.bind(0, '127.0.0.1', resolve));
  const arrived = promised((resolve) => receiver.once('message', resolve));
  const sender = dgram.createSocket('udp4');
  try {
    await promised((resolve, reject) =>
      sender.send(view, receiver.address().port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    );
    return compare(await arrived, view);
  } finally {
    sender.close();
    receiver.close();
  }
}

function toChild(view) {
  const program = 'process.stdin.pipe(process.stdout)';
  const { stdout } = childProcess.spawnSync('node', ['-e', program], { input: view });
  return compare(stdout, view);
}

async function compressed(view) {
  const stream = new CompressionStream('gzip');
  const writer = stream.writable.getWriter();
  const done = new Response(stream.readable).arrayBuffer();
  done.catch(() => undefined);
  await writer.write(view);
  await writer.close();
  return compare(zlib.gunzipSync(Buffer.from(await done)), view);
}

function posted(view) {
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(view);
    const { message } = receiveMessageOnPort(port2);
    if (compare(bytesOf(message), view) === '✗') return '✗';
    if (message.buffer instanceof SharedArrayBuffer) return '=';
    return message.buffer.byteLength > message.byteLength ? '✓ whole buffer' : '✓';
  } finally {
    port1.close();
  }
}

function transferred(view) {
  const clone = structuredClone(view, { transfer: [view.buffer] });
  if (view.length === 0) return '**moved**';
  return `${compare(bytesOf(clone), view)} copies`;
}

function serialized(view) {
  const stored = v8.serialize(view).length;
  const mark = compare(bytesOf(v8.deserialize(v8.serialize(view))), view);
  return stored > view.byteLength + 100 ? `${mark} whole buffer` : mark;
}

/** With `views`: which of the two typed arrays; both where it is missing. With `peer`: what is not part of the runtime. */
module.exports = [
  { name: '`fs.writeFileSync`, `fs.writeSync`', run: (v) => written(v, (x) => fs.writeFileSync(file, x)) },
  {
    name: '`fs.promises.writeFile`',
    keep: true,
    run: (v) => written(v, (x) => fs.promises.writeFile(file, x)),
  },
  {
    name: '`fs.createWriteStream`',
    keep: true,
    views: ['u8'],
    run: (v) =>
      written(v, (x) => promised((done, fail) => fs.createWriteStream(file).on('error', fail).end(x, done))),
  },
  {
    name: '`fs.writev`, a `Uint8Array`',
    views: ['u8'],
    run: (v) => throughFile(v, (fd) => fs.writevSync(fd, [v])),
  },
  {
    name: '`fs.writev`, another typed array',
    views: ['f64'],
    run: (v) => throughFile(v, (fd) => fs.writevSync(fd, [v])),
  },
  { name: '`net.Socket`', keep: true, views: ['u8'], run: throughSocket },
  { name: '`dgram`', keep: true, run: throughDatagram },
  { name: 'the input of a child process', run: toChild },
  {
    name: '`http`: `response.end`, a `Uint8Array`',
    keep: true,
    views: ['u8'],
    run: (v) => throughResponse(v, (r) => r.end(v)),
  },
  {
    name: '`http`: `response.end`, another typed array',
    views: ['f64'],
    run: (v) => throughResponse(v, (r) => r.end(v)),
  },
  {
    name: '`http`: `request.end`, a `Uint8Array`',
    keep: true,
    views: ['u8'],
    run: (v) => throughServer(v, (url) => request(url, (r) => r.end(v))),
  },
  {
    name: '`http`: `request.end`, another typed array',
    views: ['f64'],
    run: (v) => throughServer(v, (url) => request(url, (r) => r.end(v))),
  },
  {
    name: '`fetch`: the body',
    run: (v) => throughServer(v, (url) => fetch(url, { method: 'POST', body: v }).then((r) => r.text())),
  },
  {
    name: '`new Request`: the body',
    run: async (v) => compare(await new Request('http://a/', { method: 'POST', body: v }).arrayBuffer(), v),
  },
  { name: '`new Response`', run: async (v) => compare(await new Response(v).arrayBuffer(), v) },
  {
    name: '`WebSocket.send`, the global one',
    run: async (v) => compare(await receiveFrame(globalThis.WebSocket, v), v),
  },
  {
    name: '`ws`: `send`',
    peer: 'ws',
    keep: true,
    run: async (v) => compare(await receiveFrame(peer('ws').WebSocket, v), v),
  },
  { name: '`new Blob([view])`', run: async (v) => compare(await new Blob([v]).arrayBuffer(), v) },
  {
    name: '`zlib`: gzip, brotli',
    keep: true,
    run: async (v) =>
      compare(zlib.gunzipSync(zlib.gzipSync(v)), v) === '✓'
        ? compare(
            zlib.brotliDecompressSync(
              await promised((ok, no) => zlib.brotliCompress(v, (e, r) => (e ? no(e) : ok(r)))),
            ),
            v,
          )
        : '✗',
  },
  { name: '`zlib.crc32`', run: (v) => (zlib.crc32(v) === zlib.crc32(whole(v)) ? '✓' : '✗') },
  { name: '`CompressionStream`', run: compressed },
  {
    name: '`crypto`: hash, HMAC',
    run: (v) =>
      compare(
        crypto.createHash('sha256').update(v).digest(),
        crypto.createHash('sha256').update(whole(v)).digest(),
      ),
  },
  {
    name: '`crypto.subtle`',
    run: async (v) =>
      compare(
        await crypto.subtle.digest('SHA-256', v),
        crypto.createHash('sha256').update(whole(v)).digest(),
      ),
  },
  { name: '`Buffer.from(v.buffer, v.byteOffset, v.byteLength)`', run: (v) => sharedOr(bytesOf(v), v) },
  { name: '`Buffer.from(view)`, a `Uint8Array`', views: ['u8'], run: (v) => compare(Buffer.from(v), v) },
  {
    name: '`Buffer.from(view)`, another typed array: its elements as bytes',
    views: ['f64'],
    run: (v) => compare(Buffer.from(v), v),
  },
  {
    name: '`TextDecoder` (see "Text" below)',
    views: ['u8'],
    run: (v) => (new TextDecoder('latin1').decode(v) === textOf(v) ? '✓' : '✗'),
  },
  { name: '`postMessage`, `structuredClone`', run: posted },
  { name: '… in a transfer list', run: transferred },
  { name: '`v8.serialize`', run: serialized },
  {
    name: 'apache-arrow: `makeVector`',
    peer: 'apache-arrow',
    views: ['f64'],
    run: (v) => sharedOr(peer('apache-arrow').makeVector(v).data[0].values, v),
  },
  {
    name: 'apache-arrow: `tableToIPC`',
    peer: 'apache-arrow',
    views: ['f64'],
    run: (v) => {
      const a = peer('apache-arrow');
      const t = a.tableFromIPC(a.tableToIPC(a.makeTable({ x: v })));
      return compare(bytesOf(t.getChild('x').toArray()), v);
    },
  },
  {
    name: 'msgpackr: `pack`, a `Uint8Array`',
    peer: 'msgpackr',
    views: ['u8'],
    run: (v) => {
      const m = peer('msgpackr');
      return compare(m.unpack(m.pack(v)), v);
    },
  },
  {
    name: 'msgpackr: `pack`, another typed array',
    peer: 'msgpackr',
    views: ['f64'],
    run: (v) => {
      const m = peer('msgpackr');
      const r = m.unpack(m.pack(v));
      return ArrayBuffer.isView(r) ? compare(bytesOf(r), v) : '✗';
    },
  },
  {
    name: '@msgpack/msgpack: `encode`: raw bytes',
    peer: '@msgpack/msgpack',
    run: (v) => {
      const m = peer('@msgpack/msgpack');
      return compare(m.decode(m.encode(v)), v);
    },
  },
];
