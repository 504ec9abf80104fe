// The page: shows what the server says, and asks for what the buttons say.
import { compact, duration, mebibytes, value3, withCommas } from './format.js';
import { openPlots } from './plots.js';

const EVENTS_MAX = 50;
const RECONNECT_MS = 1000;

const $ = (id) => document.getElementById(id);
/** The newest time that was seen, in seconds of the demo. */
let seconds = 0;
const plots = openPlots(() => seconds);
let socket;
let isPaused = false;
/** The last view of each reader, by name. */
let known = new Map();

const order = (what) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(what));

function connect() {
  socket = new WebSocket(`ws://${location.host}/live`);
  socket.binaryType = 'arraybuffer';
  socket.onmessage = ({ data }) => {
    if (typeof data !== 'string') return addPoints(new Float64Array(data));
    const message = JSON.parse(data);
    if (message.type === 'hello') greet(message);
    else if (message.type === 'view') show(message);
    else if (message.type === 'end') tell(message.message);
  };
  socket.onclose = () => {
    setState('ended');
    setTimeout(connect, RECONNECT_MS);
  };
}

function greet({ label, fields, field }) {
  $('label').textContent = label;
  $('field').replaceChildren(...fields.map((name) => new Option(name, name, name === field, name === field)));
  known = new Map();
  for (const plot of Object.values(plots)) plot.clear();
}

function addPoints(message) {
  const [, lost, count] = message;
  const times = message.subarray(3, 3 + count);
  const values = message.subarray(3 + count);
  // A gap, where this page was too slow.
  if (lost > 0 && count > 0) plots.series.add(times[0], [null]);
  for (let i = 0; i < count; ++i) plots.series.add(times[i], [values[i]]);
  if (count > 0) seconds = Math.max(seconds, times[count - 1]);
}

function show(view) {
  const { readers, messages, costNs } = view;
  const alive = readers.filter(({ state }) => state !== 'killed');
  // One that was just added has nothing to report yet.
  const reading = alive.filter(({ state, latency }) => state === 'reads' && latency.p50 !== null);
  const most = (values) =>
    values.reduce((max, value) => (value === null ? max : Math.max(max ?? 0, value)), null);
  const at = view.seconds;
  seconds = Math.max(seconds, at);
  setState(view.isPaused ? 'paused' : 'live');
  isPaused = view.isPaused;
  $('pause').textContent = isPaused ? 'Go on' : 'Pause the writer';
  $('written').textContent = withCommas(view.written);
  $('window').textContent = withCommas(view.window);
  $('bytes').textContent = mebibytes(view.bytes);
  plots.rate.add(at, [
    view.perSecond,
    reading.length > 0 ? Math.min(...reading.map(({ perSecond }) => perSecond)) : null,
  ]);
  plots.latency.add(at, [
    most(reading.map(({ latency }) => latency.p50)),
    most(reading.map(({ latency }) => latency.p99)),
    messages?.latency.p99 ?? null,
  ]);
  plots.lag.add(at, [most(alive.map(({ lag }) => lag)) ?? 0]);
  plots.lost.add(at, [readers.reduce((sum, { lost }) => sum + lost, 0)]);
  plots.pinned.add(at, [view.pinnedBytes / 2 ** 20]);
  showCaptions();
  showCosts(costNs, alive.length);
  showReaders(readers);
}

/** The newest values, in text: for everyone, and instead of the picture. */
function showCaptions() {
  for (const value of document.querySelectorAll('[data-value]')) {
    const parts = plots[value.dataset.value].text();
    const spans = parts.map(({ label, colour, value }) => {
      const span = document.createElement('span');
      span.className = `key ${colour}`;
      span.textContent = parts.length > 1 ? `${label} ${value}` : value;
      return span;
    });
    value.replaceChildren(...spans);
  }
}

function showCosts({ log, messages }, readers) {
  const most = Math.max(log ?? 0, messages ?? 0, 1);
  for (const [name, ns] of Object.entries({ log, messages })) {
    $(`cost-${name}`).textContent = duration(ns);
    $(`cost-${name}-bar`).setAttribute('width', `${(100 * (ns ?? 0)) / most}%`);
  }
  $('ratio').textContent =
    log === null || messages === null
      ? ''
      : `${value3(messages / log)} × as much by postMessage. Without what the system interrupts; the log has ${readers} readers now.`;
}

function showReaders(readers) {
  for (const reader of readers) showReader(reader);
  for (const row of $('readers').querySelectorAll('tr'))
    if (!readers.some(({ name }) => name === row.dataset.reader)) row.remove();
  known = new Map(readers.map((reader) => [reader.name, reader]));
}

function showReader(reader) {
  const { name, state, latency } = reader;
  const before = known.get(name);
  const row = rowOf(name);
  const isKilled = state === 'killed';
  const figures = {
    perSecond: compact(reader.perSecond ?? 0),
    p50: duration(latency?.p50 ?? null),
    p99: duration(latency?.p99 ?? null),
    lag: withCommas(reader.lag),
  };
  if (isKilled) for (const cell of Object.keys(figures)) figures[cell] = '';
  const cells = { name, state, ...figures, lost: withCommas(reader.lost) };
  for (const [cell, text] of Object.entries(cells))
    row.querySelector(`[data-cell=${cell}]`).textContent = text;
  row.querySelector('.pill').dataset.is = state;
  row.querySelector('[data-cell=lost]').classList.toggle('loses', reader.lost > 0);
  const stall = row.querySelector('[data-do=stall], [data-do=resume]');
  stall.dataset.do = state === 'stalled' ? 'resume' : 'stall';
  stall.textContent = state === 'stalled' ? 'Resume' : 'Stall';
  for (const button of row.querySelectorAll('button')) {
    button.setAttribute('aria-label', `${button.textContent} ${name}`);
    if (isKilled && button === document.activeElement) $('add').focus();
    button.hidden = isKilled;
  }
  if (known.size > 0) tellOf(before, reader);
}

/** Its row, which stays the same, so that what has the focus keeps it. */
function rowOf(name) {
  const found = $('readers').querySelector(`[data-reader="${CSS.escape(name)}"]`);
  if (found !== null) return found;
  const row = $('row').content.firstElementChild.cloneNode(true);
  row.dataset.reader = name;
  $('readers').append(row);
  return row;
}

function tellOf(before, { name, state, lost }) {
  if (before === undefined) return tell(`${name} was added; it begins with the oldest record in memory`);
  if (lost > before.lost)
    tell(`${name} was too slow: it lost ${withCommas(lost - before.lost)} records, and knows which`);
  if (state === before.state) return;
  if (state === 'stalled') tell(`${name} stalls; the writer goes on`);
  if (state === 'reads') tell(`${name} reads again`);
  if (state === 'killed') tell(`${name} was killed; what it pinned is released`);
}

function tell(text) {
  const item = document.createElement('li');
  item.textContent = `${seconds.toFixed(1)} s: ${text}`;
  $('events').prepend(item);
  while ($('events').children.length > EVENTS_MAX) $('events').lastChild.remove();
}

function setState(text) {
  if ($('state').textContent === text) return;
  $('state').textContent = text;
  $('state').dataset.is = text;
}

$('pause').addEventListener('click', () => order({ do: isPaused ? 'go on' : 'pause' }));
$('add').addEventListener('click', () => order({ do: 'add' }));
$('field').addEventListener('change', ({ target }) => {
  plots.series.clear();
  order({ do: 'show', field: target.value });
});
$('readers').addEventListener('click', ({ target }) => {
  const { reader } = target.closest('tr').dataset;
  if (target.dataset.do !== undefined) order({ do: target.dataset.do, reader });
});
connect();
