// The words of the flame view.

import { catalogue } from '../../../i18n/catalogue.ts';

export const text = catalogue('traceFlame', {
  label: 'Flame view: one line a level, time from left to right',
  how: (up: string, down: string, left: string, right: string, zoomIn: string) =>
    `${up} goes to the parent, ${down} to the longest child, ${left} and ${right} along the level; ${zoomIn} zooms in.`,
  noKey: 'no key',
  cursor: (what: string, level: number) => `${what}, level ${level}`,
  scroll: 'Scroll levels',
  levels: (first: number, last: number, total: number) => `Levels ${first} to ${last} of ${total}`,
});
