// What an entry holds: a time, a value, and a checksum over all entries up to this one, so that a
// reader can tell by itself whether it has every entry, once and in order.
const BYTES = 20;

/** The same as columns of a log in memory. */
export const schema = { lsn: 'f64', time: 'f64', value: 'f64', chain: 'u32' };

const numbers = new Float64Array(2);
const words = new Uint32Array(numbers.buffer);

/** The checksum after an entry, from the one before it (0 before the first). */
export function chainOf(before, time, value) {
  numbers[0] = time;
  numbers[1] = value;
  let chain = before;
  for (const word of words) chain = Math.imul(chain ^ word, 16777619) >>> 0;
  return chain;
}

export function encode({ time, value, chain }) {
  const data = Buffer.allocUnsafe(BYTES);
  data.writeDoubleLE(time, 0);
  data.writeDoubleLE(value, 8);
  data.writeUInt32LE(chain, 16);
  return data;
}

export function decode(data) {
  return { time: data.readDoubleLE(0), value: data.readDoubleLE(8), chain: data.readUInt32LE(16) };
}
