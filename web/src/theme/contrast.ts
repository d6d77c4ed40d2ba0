// What eyes can tell apart: WCAG contrast, distance in OKLab, and colours as colour-blind people see them.
//
// Used by the tests that hold the tokens and the palettes to their numbers, and to choose black or white text.

export type Rgb = readonly [red: number, green: number, blue: number];
export type Vision = 'normal' | 'protan' | 'deutan' | 'tritan';

/** Channels 0 to 1, still gamma-encoded. `#rgb` and `#rrggbb`; anything else is black, as in a canvas. */
export function parseHex(colour: string): Rgb {
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(colour);
  const long = short === null ? /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(colour) : null;
  const digits = short?.slice(1).map((digit) => digit + digit) ?? long?.slice(1) ?? ['0', '0', '0'];
  const [red = 0, green = 0, blue = 0] = digits.map((two) => Number.parseInt(two, 16) / 255);
  return [red, green, blue];
}

/** The ratio of WCAG 2: 1 for the same colour, 21 for black on white. */
export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(parseHex(a)), luminance(parseHex(b))].sort((x, y) => x - y);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

/** How different two colours look to somebody: about 0.02 is just visible side by side, black and white are 1. */
export function distance(a: string, b: string, vision: Vision = 'normal'): number {
  const [l1, a1, b1] = okLab(seen(linear(parseHex(a)), vision));
  const [l2, a2, b2] = okLab(seen(linear(parseHex(b)), vision));
  return Math.hypot(l1 - l2, a1 - a2, b1 - b2);
}

/** The smallest distance between any two of them. */
export function smallestDistance(colours: readonly string[], vision: Vision): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (const [i, a] of colours.entries()) {
    for (const b of colours.slice(i + 1)) smallest = Math.min(smallest, distance(a, b, vision));
  }
  return smallest;
}

export function luminance(rgb: Rgb): number {
  const [red, green, blue] = linear(rgb);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function linear(rgb: Rgb): Rgb {
  const [red, green, blue] = rgb.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return [red ?? 0, green ?? 0, blue ?? 0];
}

type Matrix = readonly [Rgb, Rgb, Rgb];

// Machado, Oliveira and Fernandes (2009), severity 1.0, on linear channels.
const MACHADO: Record<Exclude<Vision, 'normal'>, Matrix> = {
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function seen(rgb: Rgb, vision: Vision): Rgb {
  if (vision === 'normal') return rgb;
  const [red, green, blue] = times(MACHADO[vision], rgb);
  return [clamp(red), clamp(green), clamp(blue)];
}

// Ottosson (2020).
const TO_LMS: Matrix = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const TO_LAB: Matrix = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];

function okLab(rgb: Rgb): Rgb {
  const [l, m, s] = times(TO_LMS, rgb);
  return times(TO_LAB, [Math.cbrt(l), Math.cbrt(m), Math.cbrt(s)]);
}

function times([x, y, z]: Matrix, vector: Rgb): Rgb {
  return [dot(x, vector), dot(y, vector), dot(z, vector)];
}

function dot(a: Rgb, b: Rgb): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function clamp(channel: number): number {
  return Math.min(1, Math.max(0, channel));
}
