// The plots of the page, by uPlot. Each shows the last seconds of some lines over time.
import uPlot from './uplot.js';
import { compact, duration, value3 } from './format.js';

const SECONDS = 30;
/** Someone who wants less motion gets a picture per second. */
const QUIET_MS = 1000;

const isQuiet = matchMedia('(prefers-reduced-motion: reduce)');
const isDark = matchMedia('(prefers-color-scheme: dark)');
const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const line = (label, colour, options = {}) => ({ label, colour, ...options });
/** What each plot draws, and how it writes a value. Colours are those of style.css. */
const PLOTS = {
  series: { lines: [line('value', 'blue')], format: value3 },
  rate: {
    lines: [line('written', 'blue'), line('slowest reader', 'green')],
    format: compact,
    fromZero: true,
  },
  latency: {
    lines: [line('p50', 'green'), line('p99', 'blue'), line('postMessage p99', 'orange', { dash: [5, 4] })],
    format: duration,
    isLogarithmic: true,
  },
  lag: { lines: [line('records', 'blue', { isFilled: true })], format: compact, fromZero: true },
  lost: { lines: [line('records', 'red', { isFilled: true })], format: compact, fromZero: true },
  pinned: {
    lines: [line('MiB', 'blue', { isFilled: true })],
    format: (value) => `${value.toFixed(1)} MiB`,
    fromZero: true,
  },
};

function optionsOf({ lines, format, isLogarithmic = false, fromZero = false }, { width, height }) {
  const axis = {
    stroke: colourOf('quiet'),
    grid: { stroke: colourOf('grid'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    scales: {
      x: { time: false },
      y: isLogarithmic
        ? { distr: 3 }
        : { range: (_, min, max) => (fromZero ? [0, Math.max(1, max * 1.1)] : spread(min, max)) },
    },
    axes: [
      {
        ...axis,
        size: 26,
        gap: 6,
        space: 60,
        values: (_, ticks) => ticks.map((tick) => `${tick} s`),
      },
      {
        ...axis,
        ...(isLogarithmic ? { filter: powersOfTen, grid: { ...axis.grid, filter: powersOfTen } } : {}),
        size: 62,
        space: 30,
        values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : format(tick))),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, colour, dash, isFilled }) => ({
        label,
        dash,
        stroke: colourOf(colour),
        fill: isFilled ? `${colourOf(colour)}33` : undefined,
        width: 1.75,
        points: { show: false },
        spanGaps: false,
      })),
    ],
  };
}

/** Ticks of a logarithmic axis. */
function powersOfTen(_, ticks) {
  return ticks.map((tick) => (Number.isInteger(Math.log10(tick)) ? tick : null));
}

/** Some air around a line, and around one that is flat. */
function spread(min, max) {
  const air = (max - min) * 0.08 || Math.abs(max) * 0.05 || 1;
  return [min - air, max + air];
}

/** One plot. `add(time, values)` has a value, or null, for each of its lines. */
class Plot {
  #figure;
  #kind;
  #plot;
  #data;
  #isChanged = true;

  constructor(figure) {
    this.#figure = figure;
    this.#kind = PLOTS[figure.dataset.plot];
    this.clear();
    this.#make();
    new ResizeObserver(() => this.#plot.setSize(this.#size())).observe(this.#box());
    isDark.addEventListener('change', () => this.#make());
  }

  clear() {
    this.#data = [[], ...this.#kind.lines.map(() => [])];
    this.#isChanged = true;
  }

  add(time, values) {
    this.#data[0].push(time);
    values.forEach((value, i) => this.#data[i + 1].push(Number.isFinite(value) ? value : null));
    this.#isChanged = true;
  }

  /** The newest values, in words of the plot. */
  text() {
    const values = this.#data.slice(1).map((line) => line.at(-1) ?? null);
    return this.#kind.lines.map(({ label, colour }, i) => ({
      label,
      colour,
      value: values[i] === null ? '-' : this.#kind.format(values[i]),
    }));
  }

  draw(now) {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    const [times] = this.#data;
    const old = times.findIndex((time) => time >= now - SECONDS);
    if (old > 0) for (const values of this.#data) values.splice(0, old);
    this.#plot.setData(this.#data, false);
    this.#plot.redraw(false, true);
    this.#plot.batch(() => {
      this.#plot.setScale('x', { min: Math.max(times[0] ?? 0, now - SECONDS), max: now });
    });
  }

  #box() {
    return this.#figure.querySelector('.plot');
  }

  #size() {
    const { clientWidth: width, clientHeight: height } = this.#box();
    return { width, height };
  }

  #make() {
    this.#plot?.destroy();
    this.#plot = new uPlot(optionsOf(this.#kind, this.#size()), this.#data, this.#box());
    this.#isChanged = true;
  }
}

/** All plots of the page by name, which draw themselves from now on. */
export function openPlots(now) {
  const plots = Object.fromEntries(
    [...document.querySelectorAll('[data-plot]')].map((figure) => [figure.dataset.plot, new Plot(figure)]),
  );
  let drawnAt = 0;
  const draw = (time) => {
    requestAnimationFrame(draw);
    if (isQuiet.matches && time - drawnAt < QUIET_MS) return;
    drawnAt = time;
    for (const plot of Object.values(plots)) plot.draw(now());
  };
  requestAnimationFrame(draw);
  return plots;
}
