// The colours that painters use, as plain values: read once per theme from the tokens of the style sheet, elsewhere.
//
// Colours are `#rrggbb`. `packed` makes of one what a pixel buffer wants; `mix` stands for transparency, so that no
// painter depends on what is below it.

export interface Theme {
  readonly background: string;
  readonly line: string;
  readonly text: string;
  readonly textSecondary: string;
  readonly accent: string;
  readonly error: string;
  readonly critical: string;
  readonly criticalHalo: string;
  /** One colour a service slot; slots from 12 on are hatched, -1 (and any other) is `neutral`. */
  readonly slots: readonly string[];
  readonly neutral: string;
}

export const SLOTS_PLAIN = 12;

/** The tokens of the light and the dark theme, for tests and for where there is no style sheet. */
export const LIGHT: Theme = {
  background: '#ffffff',
  line: '#dfe2e8',
  text: '#1b1d22',
  textSecondary: '#565d69',
  accent: '#1f5fbf',
  error: '#d92d20',
  critical: '#111318',
  criticalHalo: '#ffffff',
  slots: '#3495e1 #c2794d #075f4f #9055ae #6a6923 #2b22a6 #6b0458 #5a68f4 #453d04 #5d4483 #6136ce #a57da5'.split(' '),
  neutral: '#7b828f',
};
export const DARK: Theme = {
  background: '#0d0f12',
  line: '#2a2f38',
  text: '#e7e9ee',
  textSecondary: '#a3aab8',
  accent: '#7fb2ff',
  error: '#ff6b5e',
  critical: '#ffffff',
  criticalHalo: '#000000',
  slots: '#83ac86 #fbbb94 #c1de00 #8557e5 #c9a52b #4bbdfa #f48cc6 #1d906a #aa6920 #728ffe #426d91 #c16bc3'.split(' '),
  neutral: '#6b7382',
};

/** How rows are coloured: row `i` has the slot `slotOf[code[i]]`. For services, `code` is the trace's `service`. */
export interface RowColours {
  readonly code: ArrayLike<number>;
  readonly slotOf: ArrayLike<number>;
}

export function slotOfRow(colours: RowColours, row: number): number {
  return colours.slotOf[colours.code[row] as number] ?? -1;
}

export function colourOfSlot(theme: Theme, slot: number): string {
  return slot >= 0 && slot < 2 * SLOTS_PLAIN ? (theme.slots[slot % SLOTS_PLAIN] ?? theme.neutral) : theme.neutral;
}

export function isHatched(slot: number): boolean {
  return slot >= SLOTS_PLAIN && slot < 2 * SLOTS_PLAIN;
}

function channels(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

/** An opaque pixel as `ImageData` has it on a little-endian machine. */
export function packed(colour: string): number {
  const [red, green, blue] = channels(colour);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** `share` of `over` on the rest of `under`. */
export function mix(under: string, over: string, share: number): string {
  const a = channels(under);
  const b = channels(over);
  const hex = a.map((value, i) => Math.round(value + ((b[i] as number) - value) * share));
  return `#${hex.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/** Black or white, whichever is read better on the colour. */
export function textOn(colour: string): '#000000' | '#ffffff' {
  const [red, green, blue] = channels(colour).map((value) => {
    const c = value / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  // Contrast with black is (L + .05) / .05, with white 1.05 / (L + .05): they are equal at L = .179.
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? '#000000' : '#ffffff';
}
