// Which colour a service has. Twelve colours that are told apart under every common colour vision, with red left for
// errors; they were found by search, and the tests hold them to the numbers of that search.
//
// The same trace has the same colours for everyone: nothing depends on who looked at what first. A service keeps its
// own colour from trace to trace unless a larger one of the trace has taken it.

import { contrast } from './contrast.ts';
import type { Theme } from './tokens.ts';

/** 0 to 11: a colour. 12 to 23: the same colours with a hatch. 24: no colour of its own. */
export type Slot = number & { readonly __unit?: 'slot' };

export const COLOURS = 12;
/** For services beyond those that anyone could tell apart. */
export const NEUTRAL_SLOT: Slot = 2 * COLOURS;

// Unlike neighbours stand together, since a name that finds its slot taken gets the next one.
const PALETTES: Readonly<Record<Theme, readonly string[]>> = {
  light: [
    ...['#3495e1', '#c2794d', '#075f4f', '#9055ae', '#6a6923', '#2b22a6'],
    ...['#6b0458', '#5a68f4', '#453d04', '#5d4483', '#6136ce', '#a57da5'],
  ],
  dark: [
    ...['#83ac86', '#fbbb94', '#c1de00', '#8557e5', '#c9a52b', '#4bbdfa'],
    ...['#f48cc6', '#1d906a', '#aa6920', '#728ffe', '#426d91', '#c16bc3'],
  ],
};
const NEUTRAL: Readonly<Record<Theme, string>> = { light: '#7b828f', dark: '#6b7382' };

export function paletteOf(theme: Theme): readonly string[] {
  return PALETTES[theme];
}

/** `#rrggbb`; neutral for any slot that there is no colour for. */
export function colourOf(slot: Slot, theme: Theme): string {
  const inPalette = slot >= 0 && slot < NEUTRAL_SLOT ? PALETTES[theme][slot % COLOURS] : undefined;
  return inPalette ?? NEUTRAL[theme];
}

/** As `colourOf`, for style sheets: follows the theme by itself. */
export function cssColourOf(slot: Slot): string {
  return slot >= 0 && slot < NEUTRAL_SLOT ? `var(--service-${slot % COLOURS})` : 'var(--service-none)';
}

export function isHatched(slot: Slot): boolean {
  return slot >= COLOURS && slot < NEUTRAL_SLOT;
}

/** The slot that a service has where it is alone: in lists, charts and on the map. */
export function preferredSlot(service: string): Slot {
  return hash(service) % COLOURS;
}

export type ServiceSize = { readonly service: string; readonly spans: number };

/**
 * The slots within one trace. The largest services choose first: their own slot, else the next free one. No two of the
 * first twelve share a colour, the next twelve are the same with a hatch, all others are neutral.
 */
export function assignColours(services: readonly ServiceSize[]): Map<string, Slot> {
  const bySize = [...services].sort((a, b) => b.spans - a.spans || (a.service < b.service ? -1 : 1));
  const slots = new Map<string, Slot>();
  const taken = new Set<Slot>();
  for (const { service } of bySize) {
    if (slots.has(service)) continue;
    const round = slots.size < COLOURS ? 0 : COLOURS;
    slots.set(service, slots.size < NEUTRAL_SLOT ? take(preferredSlot(service), round, taken) : NEUTRAL_SLOT);
  }
  return slots;
}

/** Black or white, whichever is read better on this colour. One of them always has 4.5:1. */
export function textOn(colour: string): '#000000' | '#ffffff' {
  return contrast(colour, '#000000') >= contrast(colour, '#ffffff') ? '#000000' : '#ffffff';
}

function take(preferred: Slot, round: number, taken: Set<Slot>): Slot {
  for (let step = 0; step < COLOURS; step += 1) {
    const slot = round + ((preferred + step) % COLOURS);
    if (taken.has(slot)) continue;
    taken.add(slot);
    return slot;
  }
  return NEUTRAL_SLOT;
}

/** FNV-1a over UTF-16 units, then mixed: the low bits of FNV alone put names that differ in one digit together. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  return (state ^ (state >>> 13)) >>> 0;
}
