// Makes the pictures of README.md: starts Trackway and the shop, sets each fault, sends load, and does in a real
// browser what README.md tells its reader to do.
//
//     TRACKWAY_BIN=/path/to/trackway node docs/tutorial/pictures.mjs [--out FOLDER] [--only CASE]
//
// Needs what examples/shop and web have in their node_modules (`npm ci` in both), and Chromium (CHROMIUM says where).
// Takes nine minutes, nearly all of it load. Fails when something is not called as README.md says, or a picture is too
// large. FOLDER is where pictures go instead of this one; a CASE is firstTrace, slow, failing or flaky.

import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crc32, deflateSync } from 'node:zlib';

import { Shop, Trackway, TRACKWAY_BIN } from '../../examples/shop/test/support.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const WIDTH = 1_280;
const HEIGHT = 800;
const BYTES_MAX = 150_000;
const COLOURS_MAX = 256;
/** Squares of the differences of red, green and blue: two colours that nobody tells apart. */
const ALIKE = 60;
const WAIT_MS_MAX = 15_000;
/** Until what was asked for is drawn; there is no event for it, and a picture of a half-drawn page is seen at once. */
const DRAW_MS = 1_500;

const { out: OUT, only } = parseArgs({
  options: { out: { type: 'string', default: HERE }, only: { type: 'string', default: '' } },
}).values;
const { chromium } = createRequire(join(HERE, '../../web/package.json'))('playwright-core');
if (!TRACKWAY_BIN) throw new Error('TRACKWAY_BIN does not say where the program is');
mkdirSync(OUT, { recursive: true });

/** A Trackway and a shop of its own, so that a picture has nothing of the case before it. */
async function inWorld(story) {
  const trackway = await Trackway.start();
  let shop;
  const context = await browser.newContext({
    viewport: { width: WIDTH, height: HEIGHT },
    colorScheme: 'light',
    reducedMotion: 'reduce',
    timezoneId: 'UTC',
  });
  context.setDefaultTimeout(WAIT_MS_MAX);
  try {
    shop = await Shop.start(trackway.env);
    const page = await context.newPage();
    console.log(`${story.name} …`);
    await story(new World(page, trackway, shop));
  } finally {
    await context.close();
    await shop?.end();
    await trackway.end();
  }
}

async function firstTrace(world) {
  const { page } = world;
  await world.openShop();
  await page.getByLabel('Customer').selectOption('cleo');
  await page.getByLabel('Password').fill('shop');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('link', { name: 'Back to the shop' }).click();
  await page.getByLabel('chair').fill('2');
  await world.picture('shop', 760);
  await page.getByRole('button', { name: 'Buy' }).click();
  await page.getByRole('link', { name: 'See the trace of this request' }).click();
  await world.row('payment charge-card').click();
  await world.picture('first-trace', 640);
}

async function slow(world) {
  const { page } = world;
  await world.load(60);
  await world.fault('slow');
  await world.load(120);
  await world.openApp();
  await world.lastMinutes();
  await page.getByText('All good').waitFor();
  await world.rail('Services');
  await world.mainLink('storefront');
  await world.mainLink('POST /buy');
  await page.getByText('Durations over time').waitFor();
  await world.picture('slow-operation');

  await world.mainLink('Explore');
  const heatmap = page.getByRole('application', { name: /^Latency of/ });
  await heatmap.waitFor();
  await world.drawn();
  const box = await heatmap.boundingBox();
  const second = await page.getByText('1 s', { exact: true }).first().boundingBox();
  await page.mouse.move(box.x + 4, box.y + 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 4, second.y + second.height, { steps: 8 });
  await page.mouse.up();
  await world.picture('slow-band', 560);
  await page.getByRole('button', { name: 'Only these' }).click();
  for (const field of ['payment.provider', 'customer.tier', 'feature.new_cart']) {
    await page.getByRole('button', { name: 'Add a field' }).click();
    await page.getByRole('option', { name: field, exact: true }).click();
  }
  await world.drawn();
  // Those that were added stand at the top.
  await page.getByText('customer.tier').first().hover();
  await page.mouse.wheel(0, -1_000);
  await page.mouse.move(WIDTH / 2, 4);
  await world.picture('slow-facets', 560);

  await page.getByRole('button', { name: /^Remove duration/ }).click();
  await page.getByText('premium', { exact: true }).first().hover();
  await page.getByTitle('Only premium').click();
  await page.getByText('Traces', { exact: true }).first().click();
  await world.drawn();
  const rows = page.getByRole('row');
  await rows.filter({ hasText: /1\.\d+ s/ }).first().getByRole('checkbox').click({ force: true });
  await rows.filter({ hasText: /\D[5-9]\d(\.\d)? ms/ }).first().getByRole('checkbox').click({ force: true });
  await page.getByRole('region', { name: 'Compare (2)' }).getByRole('button', { name: 'Compare' }).click();
  await page.getByText('A is').first().waitFor();
  await world.picture('slow-compare', 540);
}

async function failing(world) {
  const { page } = world;
  await world.fault('failing');
  await world.load(120);
  await world.openApp();
  await world.lastMinutes();
  await page.getByText('Needs a look').waitFor();
  await world.picture('failing-home', 440);
  await page.getByRole('listitem').filter({ hasText: 'storefront' }).getByText('Failing traces').click();
  await world.drawn();
  await page.getByRole('row').getByRole('link').first().click();
  await page.getByRole('treegrid').waitFor();
  await world.drawn();
  await world.row('payment ask-provider').click();
  await world.picture('failing-trace', 700);
}

async function flaky(world) {
  const { page } = world;
  await world.fault('flaky');
  await world.load(120);
  await world.openApp();
  await world.lastMinutes();
  await page.getByText('All good').waitFor();
  await world.rail('Services');
  await world.mainLink('storefront');
  await world.mainLink('POST /buy');
  const path = page.getByRole('heading', { name: 'Average critical path' });
  await path.waitFor();
  await world.picture('flaky-path', 700, () => path.evaluate((heading) => heading.scrollIntoView({ block: 'center' })));
  await page.getByRole('link', { name: 'A slow trace' }).click();
  await page.getByRole('treegrid').waitFor();
  await page.getByRole('button', { name: 'Fold repeats' }).click();
  await world.row('payment ask-provider').click();
  await world.picture('flaky-trace', 700);
}

/** What a reader does. */
class World {
  constructor(page, trackway, shop) {
    Object.assign(this, { page, trackway, shop });
  }

  openShop() {
    return this.page.goto(this.shop.urls.storefront);
  }

  openApp() {
    return this.page.goto(this.trackway.url);
  }

  async fault(name) {
    await this.openShop();
    await this.page.getByLabel(name, { exact: true }).check();
    await this.page.getByRole('button', { name: 'Set' }).click();
  }

  async load(seconds) {
    console.log((await this.shop.load('--seconds', String(seconds))).trim());
  }

  async lastMinutes() {
    await this.page.getByText('Last 1 hour').click();
    await this.page.getByText('Last 5 minutes').click();
  }

  rail(name) {
    return this.page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name }).click();
  }

  mainLink(name) {
    return this.page.locator('#main').getByRole('link', { name, exact: true }).first().click();
  }

  row(name) {
    return this.page.getByRole('treegrid').getByRole('row', { name: new RegExp(`^${name}`) }).first();
  }

  drawn() {
    return this.page.waitForTimeout(DRAW_MS);
  }

  async picture(name, height = HEIGHT, arrange = () => {}) {
    await this.page.setViewportSize({ width: WIDTH, height });
    await arrange();
    await this.drawn();
    const bytes = await recoloured(await this.page.screenshot());
    await this.page.setViewportSize({ width: WIDTH, height: HEIGHT });
    writeFileSync(join(OUT, `${name}.png`), bytes);
    console.log(`${name}.png: ${Math.round(bytes.length / 1_000)} KB`);
    if (bytes.length > BYTES_MAX) throw new Error(`${name}.png has ${bytes.length} bytes, ${BYTES_MAX} are allowed`);
  }
}

/** The same picture with a palette: a third of the bytes. A colour that is not in it becomes the nearest one. */
async function recoloured(png) {
  const page = await browser.newPage();
  const reduced = await page.evaluate(reduce, { base64: png.toString('base64'), most: COLOURS_MAX, alike: ALIKE });
  await page.close();
  const { width, height, palette } = reduced;
  const pixels = Buffer.from(reduced.pixels, 'base64');
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1) pixels.copy(rows, y * (width + 1) + 1, y * width, (y + 1) * width);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits a pixel, which are a place in the palette.
  header.set([8, 3], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]))),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type, data) {
  const typed = Buffer.concat([Buffer.from(type), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([ends.subarray(0, 4), typed, ends.subarray(4)]);
}

/** Runs in a page, which can read pictures: the most frequent colours, and for each pixel the nearest of them. */
async function reduce({ base64, most, alike }) {
  const answer = await fetch(`data:image/png;base64,${base64}`);
  const bitmap = await createImageBitmap(await answer.blob());
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(width, height).getContext('2d');
  canvas.drawImage(bitmap, 0, 0);
  const { data } = canvas.getImageData(0, 0, width, height);
  const colours = new Uint32Array(width * height);
  const counts = new Map();
  for (let at = 0; at < colours.length; at += 1) {
    const colour = (data[at * 4] << 16) | (data[at * 4 + 1] << 8) | data[at * 4 + 2];
    colours[at] = colour;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const away = (a, b) => parts(a).reduce((sum, part, at) => sum + (part - parts(b)[at]) ** 2, 0);
  // A colour that looks like one that is taken already leaves its place to a rare one, such as the red of an error.
  const frequent = [...counts].sort(([, a], [, b]) => b - a).map(([colour]) => colour);
  const palette = [];
  for (const colour of frequent) {
    if (palette.length < most && palette.every((taken) => away(colour, taken) >= alike)) palette.push(colour);
  }
  const nearest = new Map();
  for (const colour of counts.keys()) {
    const distances = palette.map((taken) => away(colour, taken));
    nearest.set(colour, distances.indexOf(Math.min(...distances)));
  }
  let pixels = '';
  for (const colour of colours) pixels += String.fromCharCode(nearest.get(colour));
  return { width, height, palette, pixels: btoa(pixels) };
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
try {
  const stories = [firstTrace, slow, failing, flaky].filter(({ name }) => only === '' || only === name);
  for (const story of stories) await inWorld(story);
} finally {
  await browser.close();
}
