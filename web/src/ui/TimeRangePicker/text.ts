// Texts of the time range picker.

import { catalogue, plural } from '../../i18n/catalogue.ts';

const unitNames: Record<string, (n: number) => string> = {
  s: (n) => plural(n, { one: '# second', other: '# seconds' }),
  m: (n) => plural(n, { one: '# minute', other: '# minutes' }),
  h: (n) => plural(n, { one: '# hour', other: '# hours' }),
  d: (n) => plural(n, { one: '# day', other: '# days' }),
  w: (n) => plural(n, { one: '# week', other: '# weeks' }),
};

export const text = catalogue('TimeRangePicker', {
  title: 'Time range',
  last: (range: string) => `Last ${unitNames[range.slice(-1)]?.(Number(range.slice(0, -1))) ?? range}`,
  relative: 'Until now',
  other: 'Other, such as 90m',
  badDuration: 'A number and s, m, h, d or w',
  absolute: 'From and to',
  recent: 'Recent',
  from: 'From',
  to: 'To',
  zone: (zone: string, offset: string) => (zone === offset ? `Times in ${zone}` : `Times in ${zone} (${offset})`),
  badTime: 'Not a time. Try 2026-11-23 14:05, 14:05, -2h or now',
  badOrder: 'This must be after “From”',
  apply: 'Apply',
});
