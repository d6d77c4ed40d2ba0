// The words of the list of services.

import { catalogue, plural } from '../../i18n/catalogue.ts';

export const text = catalogue('services', {
  title: 'Services',
  service: 'Service',
  filter: 'Filter by name',
  caption: 'Services with rate, errors and durations; impact is rate × p95',
  failed: 'The services could not be read',
  what: 'the rates of all services',
  found: (n: number) => plural(n, { one: '# service', other: '# services' }),
  noMatch: (find: string) => `No service has “${find}” in its name`,
  clearFilter: 'Show all',
  quietTitle: 'Nothing came in this time',
  quiet: 'No service was heard of in the time range above.',
  lastDay: 'Last 24 hours',
  lastWeek: 'Last 7 days',
});
