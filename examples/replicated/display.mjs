// A table that is redrawn on a terminal, or a line a second.
const WIDTHS = [13, 7, 12, 12, 10, 7];
const HEAD = ['', 'state', 'entries', 'lag entries', 'lag ms', 'kills'];
const [TERMINAL_MS, LINE_MS] = [200, 1000];

const number = (value) => (value === undefined ? '' : Math.round(value).toLocaleString('en'));
const cells = (texts) =>
  texts.map((text, i) => (i === 0 ? text.padEnd(WIDTHS[0]) : text.padStart(WIDTHS[i]))).join('');

function tableOf({ seconds, rows }) {
  const lines = rows.map(({ name, isUp, entries, lag, lagMs, kills }) =>
    cells([name, isUp ? 'up' : 'down', number(entries), number(lag), number(lagMs), number(kills)]),
  );
  return [`${seconds.toFixed(0)} s`, cells(HEAD), ...lines].join('\n');
}

function lineOf({ seconds, rows }) {
  const parts = rows.map(({ name, isUp, entries, lag, lagMs }) => {
    const state = isUp ? '' : ' down';
    const count = entries === undefined ? '' : ` ${number(entries)}`;
    const behind = lag === undefined ? '' : ` lag ${number(lag)} (${number(lagMs)} ms)`;
    return name + state + count + behind;
  });
  return [`${seconds.toFixed(1)} s`, ...parts].join(' | ');
}

/** Shows what `view` returns until it is stopped. */
export function display(view) {
  const { stdout } = process;
  let drawn = 0;
  const show = () => {
    if (!stdout.isTTY) return console.log(lineOf(view()));
    const table = tableOf(view());
    stdout.write(`${drawn > 0 ? `\u001b[${drawn}A\u001b[J` : ''}${table}\n`);
    drawn = table.split('\n').length;
  };
  const timer = setInterval(show, stdout.isTTY ? TERMINAL_MS : LINE_MS);
  return () => {
    clearInterval(timer);
    show();
  };
}
