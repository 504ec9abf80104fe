/** How the command line prints items. */
import type { Item } from './sources';

export type Format = 'text' | 'json' | 'raw';
export const FORMATS: readonly Format[] = ['text', 'json', 'raw'];

/** Bytes that are no text are shown as JSON shows them, or in base64. */
export function formatItem({ position, data, header }: Item, format: Format): string | Uint8Array {
  if (format === 'raw') return data;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  const asText = bytes.toString('utf8');
  const isText = Buffer.from(asText, 'utf8').equals(bytes);
  if (format === 'text') return `${position}\t${isText ? asText : bytes.toString('hex')}\n`;
  const extra =
    header === undefined || header.length === 0 ? {} : { header: Buffer.from(header).toString('base64') };
  const value = isText ? { text: asText } : { base64: bytes.toString('base64') };
  return `${JSON.stringify({ position, ...extra, ...value })}\n`;
}

/** Waits where the reader of a pipe is slow; false when it has gone. */
export async function print(what: string | Uint8Array): Promise<boolean> {
  const { stdout } = process;
  if (stdout.destroyed || stdout.errored) return false;
  if (!stdout.write(what)) {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stdout.off('drain', done).off('close', done).off('error', done);
        resolve();
      };
      stdout.once('drain', done).once('close', done).once('error', done);
    });
  }
  return !stdout.errored;
}
