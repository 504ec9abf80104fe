// What goes over the socket: frames of a small object, as JSON, and bytes. For machines that trust each other, on
// networks that damage, cut and delay what they carry.
//
//   0      length of the object         8   checksum of bytes 0 to 7
//   4      length of the bytes         12   checksum of the object and the bytes
import { createHash } from 'node:crypto';
import { parsePosition } from 'atomic-log';

const HEAD_BYTES = 16;
const OBJECT_BYTES_MAX = 4096;
/** Before each entry of the copy: epoch and branch of its position in the log. */
export const PAST_BYTES = 8;
/** What a log takes in one piece. */
export const BYTES_MAX = 1 << 24;

export function fault(why) {
  return Object.assign(new Error(why), { code: 'ERR_SHIPPING' });
}

/** That of TCP, of 16 bits, misses some of what a network damages. */
function checksum(bytes) {
  return createHash('sha256').update(bytes).digest().readUInt32LE(0);
}

/** Resolves when the system has taken it: who waits for that keeps one frame in memory, however slow the other side is. */
export function write(socket, object, ...pieces) {
  const text = Buffer.from(JSON.stringify(object));
  const frame = Buffer.concat([Buffer.alloc(HEAD_BYTES), text, ...pieces]);
  frame.writeUInt32LE(text.length, 0);
  frame.writeUInt32LE(frame.length - HEAD_BYTES - text.length, 4);
  frame.writeUInt32LE(checksum(frame.subarray(0, 8)), 8);
  frame.writeUInt32LE(checksum(frame.subarray(HEAD_BYTES)), 12);
  return new Promise((resolve, reject) =>
    socket.write(frame, (error) => (error ? reject(error) : resolve())),
  );
}

/** Bytes of the frame with this head. */
function bytesOf(head, { bytesMax }) {
  if (head.readUInt32LE(8) !== checksum(head.subarray(0, 8)))
    throw fault('this is not log shipping, or was damaged');
  const [object, bytes] = [head.readUInt32LE(0), head.readUInt32LE(4)];
  if (object === 0 || object > OBJECT_BYTES_MAX || bytes > bytesMax)
    throw fault(`a frame of ${object} and ${bytes} bytes: here at most ${OBJECT_BYTES_MAX} and ${bytesMax}`);
  return HEAD_BYTES + object + bytes;
}

function parse(frame) {
  if (frame.readUInt32LE(12) !== checksum(frame.subarray(HEAD_BYTES))) throw fault('a frame was damaged');
  const body = HEAD_BYTES + frame.readUInt32LE(0);
  let object;
  try {
    object = JSON.parse(frame.toString('utf8', HEAD_BYTES, body));
  } catch {
    // Said below.
  }
  if (typeof object !== 'object' || object === null) throw fault('a frame without an object');
  return { object, bytes: frame.subarray(body) };
}

/**
 * The frames that arrive. While one is used, the socket is not read, so that the other side has to wait. Never
 * more is held than one frame, which has at most so many bytes as `limits.bytesMax` says when it begins.
 */
export async function* read(socket, limits) {
  let frame = Buffer.alloc(HEAD_BYTES);
  let held = 0;
  for await (const chunk of socket) {
    for (let at = 0; at < chunk.length;) {
      const copied = chunk.copy(frame, held, at);
      at += copied;
      held += copied;
      if (held < frame.length) continue;
      if (held === HEAD_BYTES) {
        const whole = Buffer.alloc(bytesOf(frame, limits));
        frame.copy(whole);
        frame = whole;
        continue;
      }
      yield parse(frame);
      if (socket.destroyed) return;
      frame = Buffer.alloc(HEAD_BYTES);
      held = 0;
    }
  }
}

/**
 * Entries as the bytes of a frame: the length of each one in the copy, then all of them, each after the epoch and branch of
 * its position.
 */
export function pack(entries) {
  const lengths = Buffer.alloc(4 * entries.length);
  const pieces = entries.flatMap(({ data, position }, i) => {
    const { epoch, branch } = parsePosition(position);
    const past = Buffer.alloc(PAST_BYTES);
    past.writeUInt32LE(epoch, 0);
    past.writeUInt32LE(branch, 4);
    lengths.writeUInt32LE(PAST_BYTES + data.length, 4 * i);
    return [past, data];
  });
  return [lengths, ...pieces];
}

/** What the copy appends. */
export function unpack(count, bytes) {
  const end = 4 * count;
  if (!Number.isSafeInteger(count) || count < 1 || end > bytes.length)
    throw fault(`${count} entries in ${bytes.length} bytes`);
  const lengths = Array.from({ length: count }, (_, i) => bytes.readUInt32LE(4 * i));
  const sum = lengths.reduce((before, length) => before + length, 0);
  if (sum !== bytes.length - end || lengths.some((length) => length < PAST_BYTES))
    throw fault(`the lengths of ${count} entries do not fit ${bytes.length} bytes`);
  return { data: bytes.subarray(end), lengths };
}
