// The words of the table of spans.

import { catalogue, plural } from '../../../i18n/catalogue.ts';

export const text = catalogue('traceTable', {
  caption: 'Spans of the trace as a table',
  span: 'Service · operation',
  service: 'Service',
  name: 'Operation',
  start: 'Start',
  dur: 'Duration',
  self: 'Self time',
  kind: 'Kind',
  status: 'Status',
  subtree: 'Spans below',
  first: (shown: number, all: number) =>
    `The first ${plural(shown, { other: '#' })} of ${plural(all, { one: '# span', other: '# spans' })}; sort or filter to see others.`,
  none: 'No span is left by what is set above.',
});
