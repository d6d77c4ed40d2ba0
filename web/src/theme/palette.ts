// Which colour a service has. Twelve colours that are told apart under every common colour vision, with red left for
// errors; they were found by search, and the tests hold them to the numbers of that search.
//
// The same trace has the same colours for everyone: nothing depends on who looked at what first. A service keeps its
// own colour from trace to trace unless a larger one of the trace has taken it.

import { contrast } from './contrast.ts';
import { assignSlots, preferredSlot as slotOf } from './slots.ts';
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
  return slotOf(service);
}

/** The same as a colour of style sheets. */
export function serviceColour(service: string): string {
  return cssColourOf(preferredSlot(service));
}

export type ServiceSize = { readonly service: string; readonly spans: number };

/** The slots within one trace, the largest service first; `slots.ts` says who gets which. */
export function assignColours(services: readonly ServiceSize[]): Map<string, Slot> {
  const largestFirst = [...services].sort((a, b) => b.spans - a.spans || (a.service < b.service ? -1 : 1));
  const names = largestFirst.map(({ service }) => service);
  const slots = assignSlots(
    names,
    largestFirst.map(({ spans }) => spans),
  );
  return new Map(names.map((name, at) => [name, (slots[at] ?? -1) < 0 ? NEUTRAL_SLOT : (slots[at] as Slot)]));
}

/** Black or white, whichever is read better on this colour. One of them always has 4.5:1. */
export function textOn(colour: string): '#000000' | '#ffffff' {
  return contrast(colour, '#000000') >= contrast(colour, '#ffffff') ? '#000000' : '#ffffff';
}
