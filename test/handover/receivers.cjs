// The other ends that the cases need.
const { createHash } = require('node:crypto');
const { EventEmitter } = require('node:events');
const http = require('node:http');

const once = (emitter, event) => EventEmitter.once(emitter, event);
const promised = (executor) => new Promise(executor);

/** The bytes one by one, as text. */
const textOf = (view) => [...view].map((byte) => String.fromCharCode(byte)).join('');

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The payload of the first frame that a client sends: masked, and shorter than 126 bytes. */
function unmask(frame) {
  const length = frame[1] & 0x7f;
  const mask = frame.subarray(2, 6);
  return frame.subarray(6, 6 + length).map((byte, i) => byte ^ mask[i % 4]);
}

/** What a server gets when a client of the class sends the view. */
async function receiveFrame(WebSocket, view) {
  const server = http.createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const sockets = [];
  const frame = promised((resolve) => {
    server.on('upgrade', (request, socket) => {
      sockets.push(socket);
      const accept = createHash('sha1')
        .update(request.headers['sec-websocket-key'] + GUID)
        .digest('base64');
      const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
      socket.write([...head, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'));
      socket.once('data', (bytes) => resolve(unmask(bytes)));
    });
  });
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}/`);
  try {
    await promised((resolve, reject) => {
      client.onopen = resolve;
      client.onerror = reject;
    });
    client.send(view);
    return await frame;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

module.exports = { once, promised, receiveFrame, textOf };
