// Uses the demo's page as people do, in a real browser, and compares it with what the log says.
// A program of its own, because jest has no ES modules:
//
//   node dashboard.mjs URL CHROMIUM [FOLDER]     pictures of the page go to FOLDER
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { mebibytes, withCommas } from '../../examples/demo/format.mjs';

const [url, executablePath, folder] = process.argv.slice(2);
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 60_000);
const PLOTS = ['series', 'rate', 'latency', 'lag', 'lost', 'pinned'];
/** Of a picture: the plots have some history then. */
const PICTURE_MS = 20_000;
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Chromium's sandbox is not for root.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath, args, timeout: PATIENCE_MS });
const page = await browser.newPage({ viewport: DESK, colorScheme: 'light' });
page.setDefaultTimeout(PATIENCE_MS);
const complaints = [];
page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
page.on('pageerror', (error) => complaints.push(String(error)));

const statsOf = async () => (await fetch(new URL('stats', url))).json();
const rowOf = (name) => page.locator(`[data-reader="${name}"]`);
const cellOf = (name, cell) => rowOf(name).locator(`[data-cell=${cell}]`);
const numberOf = async (locator) => Number((await locator.textContent()).replaceAll(',', ''));
const says = (text) => page.locator('#events li', { hasText: text }).first().waitFor();

/** Waits until it is true. */
async function until(what, isSo) {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    assert(performance.now() < end, `in vain: ${what}`);
    await sleep(50);
  }
}

async function plotsMove() {
  const pictures = () =>
    page.evaluate(
      (names) => names.map((name) => document.querySelector(`[data-plot=${name}] canvas`).toDataURL()),
      PLOTS,
    );
  const before = await pictures();
  await until('every plot moves', async () =>
    (await pictures()).every((picture, i) => picture !== before[i]),
  );
}

/** With Tab and Enter alone. */
async function pressByKeyboard(label) {
  await until(`the focus gets to ${label}`, async () => {
    await page.keyboard.press('Tab');
    return page.evaluate((text) => document.activeElement?.getAttribute('aria-label') === text, label);
  });
  await page.keyboard.press('Enter');
}

async function stallAndResume() {
  await pressByKeyboard('Stall reader 2');
  await cellOf('reader 2', 'state').filter({ hasText: 'stalled' }).waitFor();
  await until('a stalled reader pins memory', async () => {
    const shown = await page.locator('[data-value=pinned]').textContent();
    return shown !== mebibytes(0) && (await statsOf()).pinnedBytes > 0;
  });
  await until('it lags', async () => (await numberOf(cellOf('reader 2', 'lag'))) > 0);
  const { endIndex } = await statsOf();
  await until(
    'what it has not read has left the window',
    async () => (await statsOf()).firstIndex > endIndex,
  );
}

async function resume() {
  // The focus is still there: the button is the same one.
  await page.keyboard.press('Enter');
  await says('reader 2 was too slow: it lost');
  assert((await numberOf(cellOf('reader 2', 'lost'))) > 0);
}

async function killAndAdd() {
  await rowOf('reader 1').getByRole('button', { name: 'Kill reader 1' }).click();
  await says('reader 1 was killed');
  const names = async () => (await statsOf()).readers.map(({ name }) => name);
  await until('the log has forgotten reader 1', async () => !(await names()).includes('reader 1'));
  await page.getByRole('button', { name: 'Add a reader' }).click();
  await says('reader 4 was added');
  await until('the log knows reader 4', async () => (await names()).includes('reader 4'));
}

/** While nothing is written, the page says what `stats()` says. */
async function pauseAndCompare() {
  await page.getByRole('button', { name: 'Pause the writer' }).click();
  await until('the numbers of the page are those of stats()', async () => {
    const { endIndex, firstIndex, bytes, pinnedBytes, readers } = await statsOf();
    const expected = {
      written: withCommas(endIndex),
      window: withCommas(endIndex - firstIndex),
      bytes: mebibytes(bytes),
      pinned: mebibytes(pinnedBytes),
      lags: readers
        .filter(({ name }) => name?.startsWith('reader'))
        .map(({ name, followers }) => [name, withCommas(followers[0].lag)])
        .sort(),
    };
    const shown = {
      ...Object.fromEntries(
        await Promise.all(
          ['written', 'window', 'bytes'].map(async (id) => [id, await page.locator(`#${id}`).textContent()]),
        ),
      ),
      pinned: await page.locator('[data-value=pinned]').textContent(),
      lags: await page.evaluate(() =>
        [...document.querySelectorAll('[data-reader]')]
          .filter((row) => row.querySelector('.pill').dataset.is !== 'killed')
          .map((row) => [row.dataset.reader, row.querySelector('[data-cell=lag]').textContent])
          .sort(),
      ),
    };
    return JSON.stringify(shown) === JSON.stringify(expected);
  });
}

async function isAccessible(what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(', ')}`);
  assert.deepEqual(found, [], what);
}

async function fitsAPhone() {
  await page.setViewportSize(PHONE);
  // The plots take their new size when the page has got it.
  const isNarrow = (width) => document.documentElement.scrollWidth <= width;
  await until('the page is as wide as the phone', () => page.evaluate(isNarrow, PHONE.width));
}

async function picture(name) {
  if (folder === undefined) return;
  await page.mouse.move(0, 0);
  const { width, height } = await page.evaluate(() => document.documentElement.getBoundingClientRect());
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', {
    format: 'webp',
    quality: 60,
    captureBeyondViewport: true,
    clip: { x: 0, y: 0, width, height, scale: 1 },
  });
  writeFileSync(join(folder, `dashboard-${name}.webp`), Buffer.from(data, 'base64'));
}

try {
  await page.goto(url);
  await rowOf('reader 3').waitFor();
  await plotsMove();
  if (folder !== undefined) await sleep(PICTURE_MS);
  await stallAndResume();
  if (folder !== undefined) await sleep(PICTURE_MS / 2);
  await resume();
  await killAndAdd();
  if (folder !== undefined) await sleep(PICTURE_MS / 4);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await plotsMove();
    await isAccessible(colorScheme);
    await picture(colorScheme);
  }
  await fitsAPhone();

  await page.emulateMedia({ reducedMotion: 'reduce' });
  await plotsMove();
  await pauseAndCompare();
  assert.deepEqual(complaints, []);
} finally {
  await browser.close();
}
