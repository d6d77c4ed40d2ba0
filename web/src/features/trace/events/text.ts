// The words of the events of a trace.

import { catalogue, plural } from '../../../i18n/catalogue.ts';

export const text = catalogue('traceEvents', {
  caption: 'Events of all spans by time',
  time: (zone: string) => `Time (${zone})`,
  span: 'Span',
  event: 'Event',
  attributes: 'Attributes',
  filter: 'Filter events',
  count: (shown: number, all: number) =>
    shown === all
      ? plural(all, { one: '# event', other: '# events' })
      : `${plural(shown, { other: '#' })} of ${plural(all, { one: '# event', other: '# events' })}`,
  notAll: 'There are more events than are listed here.',
  skipped: (why: string) => `Not all events could be read: ${why}`,
  none: 'No span of this trace has events',
  noneWhy: 'Logs that a span carries, and exceptions, would be here.',
  noMatch: 'No event is like this.',
  loading: 'Loading the events',
  failed: 'The events could not be loaded',
});
