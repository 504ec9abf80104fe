/**
 * The one place where strings become bytes and bytes become strings.
 *
 * `Buffer` does it without a view per value, which `TextEncoder` and
 * `TextDecoder` need, and it takes shared memory too. As with those, a lone
 * surrogate is stored as U+FFFD, the replacement character; a byte order mark
 * is kept.
 */

/** Up to here a loop over the characters is faster than a native call (16 ASCII characters: 43 ns, 65 ns). */
const LOOP_LENGTH_MAX = 16;

/** Bytes of the text as UTF-8. */
export function textBytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Whether the text takes at most `room` bytes. Counts them only when its length leaves a doubt. */
export function textFits(text: string, room: number): boolean {
  return text.length * 3 <= room || (text.length <= room && textBytes(text) <= room);
}

/** Writes a text that fits, and returns its bytes. */
export function writeText(data: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > LOOP_LENGTH_MAX) return data.write(text, at);
  for (let i = 0; i < length; ++i) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return data.write(text, at);
    data[at + i] = code;
  }
  return length;
}

/** The text in [begin, end); bytes that are not UTF-8 become U+FFFD. */
export function readText(data: Buffer, begin: number, end: number): string {
  return data.toString('utf8', begin, end);
}
