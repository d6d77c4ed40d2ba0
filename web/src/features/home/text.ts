// The words of Home.

import { catalogue, plural } from '../../i18n/catalogue.ts';

export const text = catalogue('home', {
  home: 'Home',
  failed: 'How the services are could not be read',
  what: 'rates of all services',
  spans: 'spans',
  perSecond: '/s',
  servicesCount: (n: number) => plural(n, { one: 'service', other: 'services' }),
  errors: 'errors',
  store: 'store',
  ofBytes: (most: string) => `of ${most}`,
  allGood: 'All good',
  looks: (n: number) => plural(n, { one: '# needs a look', other: '# need a look' }),
  notReady: 'Not taking spans',
  needsALook: 'Needs a look',
  slow: (p95: string) => `p95 ${p95}`,
  times: (ratio: number) => `×${Number(ratio.toPrecision(2))} vs yesterday`,
  failing: (share: string) => `errors ${share}`,
  was: (share: string) => `was ${share}`,
  newNow: 'new',
  slowTraces: 'Slow traces',
  failingTraces: 'Failing traces',
  tracesOf: (which: string, name: string) => `${which} of ${name}`,
  services: 'Services',
  service: 'Service',
  allServices: 'Find a service',
  servicesCaption: 'Services by their impact: rate × p95',
  quietTitle: 'Nothing came in this time',
  quiet: 'Choose a longer time range in the bar above.',
  recent: 'Opened lately',
});
