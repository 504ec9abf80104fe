// The chart of the README, drawn from the results of the benchmarks.

import { time } from './figures.mjs';

const WAYS = [
  ['BroadcastChannel', 'BroadcastChannel', '#8a94a6'],
  ['MessagePort', 'MessagePort', '#c2503f'],
  ['atomic-log', 'atomic-log, polled every ms', '#1f7a5c'],
];
const READERS = [1, 3, 4, 8];
const WIDTH = 760;
const LEFT = 210;
const BAR = 18;

/** Bars from zero, in one scale: what an entry costs its writer, by the number of readers. */
export function chart({ peer, conditions }) {
  const bars = READERS.flatMap((readers) =>
    WAYS.map(([name, way, colour]) => ({ readers, name, colour, ns: peer('one by one', readers, way).ns })),
  );
  const most = Math.max(...bars.map(({ ns }) => ns));
  const widest = WIDTH - LEFT - 90;
  let y = 62;
  const drawn = bars.map(({ readers, name, colour, ns }, i) => {
    if (i % WAYS.length === 0 && i > 0) y += 12;
    const top = y;
    y += BAR + 3;
    const width = Math.max(1, (ns / most) * widest);
    const label = `${readers} reader${readers > 1 ? 's' : ''}`;
    return [
      i % WAYS.length === 0 ? `<text class="t" x="12" y="${top + 14}">${label}</text>` : '',
      `<text class="t" x="${LEFT - 8}" y="${top + 14}" text-anchor="end">${name}</text>`,
      `<rect x="${LEFT}" y="${top}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
      `<text class="t" x="${(LEFT + width + 6).toFixed(1)}" y="${top + 14}">${time(ns)}</text>`,
    ].join('');
  });
  const height = y + 34;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">
<title id="title">What one entry costs its writer's thread: ${bars.map(({ readers, name, ns }) => `${name}, ${readers} readers: ${time(ns)}`).join('; ')}</title>
<style>text{font:13px system-ui,sans-serif}.t{fill:#24292f}.h{font-weight:600;font-size:15px}.s{fill:#57606a}rect.b{fill:#fff}
@media (prefers-color-scheme:dark){.t{fill:#e6edf3}.s{fill:#9da7b3}rect.b{fill:#0d1117}}</style>
<rect class="b" width="${WIDTH}" height="${height}"/>
<text class="t h" x="12" y="26">What one number costs the thread that sends it to every reader</text>
<text class="s" x="12" y="46">processor time of the writer, one by one; shorter is better</text>
${drawn.join('\n')}
<text class="s" x="12" y="${height - 12}">${conditions.machine}, ${conditions.runtime.replace(/ \(.*/, '')}, ${conditions.date}, commit ${conditions.commit}</text>
</svg>
`;
}
