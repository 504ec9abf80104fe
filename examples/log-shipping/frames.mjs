// What goes over the socket: frames of a small object and buffers. For machines that trust each other.
const HEAD = 8;
const BYTES_MAX = 1 << 28;

export function write(socket, object, buffers = []) {
  const text = Buffer.from(JSON.stringify({ ...object, sizes: buffers.map(({ length }) => length) }));
  const body = Buffer.concat(buffers);
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(text.length, 0);
  head.writeUInt32LE(body.length, 4);
  socket.write(Buffer.concat([head, text, body]));
}

/** The frames that arrive. While one is used, the socket is not read, so that the other side has to wait. */
export async function* read(socket) {
  let chunks = [];
  let held = 0;
  let wanted = HEAD;
  for await (const chunk of socket) {
    chunks.push(chunk);
    held += chunk.length;
    while (held >= wanted) {
      const bytes = Buffer.concat(chunks);
      const body = HEAD + bytes.readUInt32LE(0);
      const end = body + bytes.readUInt32LE(4);
      if (end > BYTES_MAX) throw new Error(`a frame of ${end} bytes: this is not log shipping`);
      const isWhole = held >= end;
      chunks = [isWhole ? bytes.subarray(end) : bytes];
      wanted = isWhole ? HEAD : end;
      if (!isWhole) break;
      held -= end;
      const { sizes, ...object } = JSON.parse(bytes.toString('utf8', HEAD, body));
      let at = body;
      yield { ...object, buffers: sizes.map((size) => bytes.subarray(at, (at += size))) };
    }
  }
}
