// The words of the flame view.

import { catalogue } from '../../../i18n/catalogue.ts';

export const text = catalogue('traceFlame', {
  label: 'Flame view: one line a level, time from left to right',
  how: 'Arrow up goes to the parent, arrow down to the longest child, left and right along the level; Enter zooms in.',
  cursor: (what: string, level: number) => `${what}, level ${level}`,
  scroll: 'Scroll levels',
  levels: (first: number, last: number, total: number) => `Levels ${first} to ${last} of ${total}`,
});
