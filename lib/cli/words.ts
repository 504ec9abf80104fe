/** Numbers, times and colours for people. */
import type { WriteStream } from 'node:tty';

const SECOND_MS = 1000;
/** Each unit, and how many milliseconds it has. */
const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400 * SECOND_MS],
  ['hour', 3600 * SECOND_MS],
  ['minute', 60 * SECOND_MS],
  ['second', SECOND_MS],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });

/** How long ago that was, in the largest unit that it is one of. */
export function formatAge(ms: number): string {
  const age = Math.max(ms, 0);
  const [unit, unitMs] = units.find(([, length]) => age >= length) ?? units.at(-1)!;
  return relative.format(-Math.floor(age / unitMs), unit);
}

export function formatCount(count: number): string {
  return count.toLocaleString('en');
}

/** `one` where it is one. */
export function counted(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

export type Paint = (style: 'bold' | 'red' | 'green' | 'yellow' | 'dim', text: string) => string;

const styles = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

/**
 * Colours, where the stream is a terminal that has them; NO_COLOR and TERM=dumb are
 * heeded by `hasColors`, which knows what terminals can. Not util.styleText(): the first
 * releases of Node.js 20 lack it.
 */
export function painter(stream: Partial<Pick<WriteStream, 'isTTY' | 'hasColors'>>): Paint {
  if (stream.isTTY !== true || stream.hasColors?.() !== true) return (_, text) => text;
  return (style, text) => {
    const [on, off] = styles[style];
    return `\x1b[${on}m${text}\x1b[${off}m`;
  };
}
