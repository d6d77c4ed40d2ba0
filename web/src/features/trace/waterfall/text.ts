// The words of the waterfall.

import { catalogue, plural } from '../../../i18n/catalogue.ts';

export const text = catalogue('traceWaterfall', {
  rows: 'Spans of the trace',
  rowsHead: 'Service · operation',
  self: 'Self',
  selfLong: 'Time in which no child was running',
  time: 'Time',
  scroll: 'Scroll rows',
  scrolled: (first: number, last: number, total: number) =>
    `Rows ${first} to ${last} of ${plural(total, { one: '#', other: '#' })}`,
  names: 'Width of the names',
  startsAt: (at: string) => `starts at ${at}`,
  error: 'error',
  repeats: (n: number) => plural(n, { one: '# repeat', other: '# repeats' }),
  sum: (value: string) => `sum ${value}`,
  average: (value: string) => `average ${value}`,
  orphan: 'no parent',
  orphanLong: 'Its parent is not in the trace',
  incomplete: 'no end',
  incompleteLong: 'Its end is not known, or lies before its start',
  skew: 'clock moved',
  skewLong: 'Its times were moved, since the clock of its host differs',
  critical: 'on the critical path',
  noService: '(no service)',
  noName: '(no name)',
  marked: (value: string) => `marked: ${value}`,
  letGo: 'Let this mark go',
  nothingLeft: 'No row is left',
  nothingLeftWhy: 'Every span is hidden by what is set above.',
  showAll: 'Show everything',
  removeColumn: (field: string) => `Remove the column ${field}`,
  distribution: (values: string) => `Durations: ${values}`,
});
