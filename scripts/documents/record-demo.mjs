// Records the demo in a terminal of its own, as an SVG that moves: `npm run docs:recording`.
// Needs `script` of util-linux, which makes the terminal.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';

const root = fileURLToPath(new URL('../..', import.meta.url));
const COLUMNS = 80;
const ROWS = 24;
const SECONDS = 8;
const FRAME_MS = 500;
/** The last picture, with the verdict, stays longer. */
const LAST_MS = 4000;
const PROMPT = '$ npm run demo';

const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
const write = (data) => new Promise((done) => terminal.write(data, done));

/** The sixteen colours; what has none has that of the text. */
const PALETTE = [
  ...['#484f58', '#ff7b72', '#3fb950', '#d29922', '#58a6ff', '#bc8cff', '#39c5cf', '#b1bac4'],
  ...['#6e7681', '#ffa198', '#56d364', '#e3b341', '#79c0ff', '#d2a8ff', '#56d4dd', '#f0f6fc'],
];
/** Spaces that no renderer folds. */
const escape = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll(' ', '\u00a0');

function styleOf(cell) {
  const colour = cell.isFgPalette() ? PALETTE[cell.getFgColor()] : undefined;
  return [
    colour === undefined ? '' : ` fill="${colour}"`,
    cell.isBold() ? ' font-weight="bold"' : '',
    cell.isDim() ? ' opacity=".7"' : '',
  ].join('');
}

/** A line as pieces of one style each, without the spaces around them. */
function lineOf(row) {
  const line = terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row);
  const pieces = [];
  for (let x = 0; x < COLUMNS; ++x) {
    const cell = line.getCell(x);
    if (cell.getWidth() === 0) continue;
    const style = styleOf(cell);
    const text = cell.getChars() || ' ';
    if (pieces.at(-1)?.style === style) pieces.at(-1).text += text;
    else pieces.push({ x, style, text });
  }
  return pieces
    .map(({ x, style, text }) => ({ x: x + text.search(/\S|$/), style, text: text.trim() }))
    .filter(({ text }) => text !== '');
}

const picture = () => Array.from({ length: ROWS }, (_, row) => lineOf(row));

async function record() {
  await write(`${PROMPT}\r\n`);
  const demo = `stty cols ${COLUMNS} rows ${ROWS}; exec node examples/demo/main.mjs --seconds ${SECONDS}`;
  const env = { ...process.env, TERM: 'xterm-256color', FORCE_COLOR: '1', COLUMNS: String(COLUMNS) };
  const child = spawn('script', ['--quiet', '--return', '--command', demo, '/dev/null'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  child.stdout.on('data', (data) => void write(data));
  const frames = [];
  let isOver = false;
  void ended.then(() => (isOver = true));
  while (!isOver) {
    await sleep(FRAME_MS);
    frames.push(picture());
  }
  const [status] = await ended;
  await write('');
  if (status !== 0) throw new Error(`the demo ended with ${status}`);
  return [...frames, picture()];
}

const CELL = 7.8;
const LINE = 15;

/** Lines that stay as they are from one picture to the next are drawn once, for as long as they stay. */
function spansOf(frames) {
  const spans = [];
  for (let row = 0; row < ROWS; ++row) {
    let previous;
    frames.forEach((frame, i) => {
      const key = JSON.stringify(frame[row]);
      if (previous?.key === key) previous.to = i + 1;
      else spans.push((previous = { row, key, pieces: frame[row], from: i, to: i + 1 }));
    });
  }
  return spans.filter(({ pieces }) => pieces.length > 0);
}

function svgOf(frames) {
  const total = (frames.length - 1) * FRAME_MS + LAST_MS;
  const percent = (frame) => ((frame * FRAME_MS * 100) / total).toFixed(2);
  const used = Math.max(...frames.map((frame) => frame.findLastIndex((pieces) => pieces.length > 0))) + 1;
  const height = used * LINE + 24;
  const width = Math.ceil(COLUMNS * CELL) + 24;
  const rules = new Map();
  const texts = spansOf(frames).map(({ row, pieces, from, to }) => {
    const name = `f${from}-${to}`;
    const isLast = to === frames.length;
    const until = isLast ? '100' : percent(to);
    if (from > 0 || !isLast)
      rules.set(
        name,
        `@keyframes ${name}{0%${from > 0 ? `,${(percent(from) - 0.01).toFixed(2)}%` : ''}{visibility:${from > 0 ? 'hidden' : 'visible'}}` +
          `${from > 0 ? `${percent(from)}%{visibility:visible}` : ''}` +
          `${isLast ? '100%{visibility:visible}' : `${(until - 0.01).toFixed(2)}%{visibility:visible}${until}%,100%{visibility:hidden}`}}` +
          `.${name}{animation:${name} ${total}ms step-end infinite${isLast ? '' : ';visibility:hidden'}}`,
      );
    const y = 12 + (row + 1) * LINE - 4;
    const spans = pieces.map(
      // Each has its place and length, whatever font there is.
      ({ x, style, text }) =>
        `<tspan x="${(12 + x * CELL).toFixed(1)}" textLength="${(text.length * CELL).toFixed(1)}"${style}>${escape(text)}</tspan>`,
    );
    return `<text class="${name}" y="${y}">${spans.join('')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">The demo for ${SECONDS} seconds: three reader threads and the same by postMessage, with rates, latencies, lags and losses, what a record costs its sender, and the window as a curve</title>
<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#e6edf3}
${[...rules.values()].join('\n')}
@media (prefers-reduced-motion:reduce){text{animation-play-state:paused!important;animation-delay:-${total - 1}ms!important}}</style>
<rect width="${width}" height="${height}" rx="6" fill="#0d1117"/>
${texts.join('\n')}
</svg>
`;
}

const path = join(root, 'docs', 'images', 'demo.svg');
const frames = await record();
writeFileSync(path, svgOf(frames));
console.log(`wrote docs/images/demo.svg: ${frames.length} pictures`);
