// The words of the page of an operation.

import { catalogue, plural } from '../../i18n/catalogue.ts';

export const text = catalogue('operation', {
  failed: 'The operation could not be read',
  kind: 'Kind of span',
  explore: 'Explore',
  slowest: 'Slowest spans',
  slowExample: 'A slow trace',
  failedExample: 'A failing trace',
  latency: 'Durations over time',
  latencyFailed: 'The durations could not be read',
  noLatency: 'Nothing came in this time.',
  heatOf: (name: string) => `Durations of ${name} over time`,
  heatHint: 'Each cell is one stretch of time and of duration; press it for its slowest trace.',
  heatKeys: 'Arrow keys go to the slowest spans of each moment, Enter opens their trace',
  cell: (moment: string, range: string, count: number, errors: number, slowest: string) => {
    const spans = plural(count, { one: '# span', other: '# spans' });
    const failing = errors > 0 ? `, ${plural(errors, { one: '# error', other: '# errors' })}` : '';
    return `${moment}, ${range}: ${spans}${failing}, slowest ${slowest}`;
  },
  time: 'Time',
  spans: 'Spans',
  failing: 'Failing',
  slowestSpan: 'Slowest',
  madeOf: 'What its time is made of',
  path: 'Average critical path',
  pathFailed: 'What its time goes to could not be read',
  pathNothing: 'No spans of it came in this time.',
  pathOf: (spans: number, mean: string) =>
    `Where the time of ${plural(spans, { one: 'its last span', other: 'a sample of # spans' })} went, ${mean} on average: only work that everything else waited for.`,
  pathOperation: 'At work',
  pathItself: 'itself',
  pathShare: 'Share',
  pathShareOf: (operation: string) => `Share of ${operation}`,
  pathMean: 'Average',
  pathCalls: 'Calls',
  pathCallsOf: (calls: number) => calls.toLocaleString('en', { maximumFractionDigits: 1 }),
  pathExample: 'Example',
  pathTrace: 'Trace',
  pathOthers: (share: string) => `${share} went to operations that are not listed.`,
  pathLeftOut: (traces: number) =>
    plural(traces, { one: '# trace was too long to be looked at.', other: '# traces were too long to be looked at.' }),
  attributes: 'Attributes',
  attributesFailed: 'The attributes could not be read',
  attributesNothing: 'No attribute tells its spans apart.',
  attributeCaption: (field: string, operation: string) => `Values of ${field} of ${operation}`,
  notKnown: 'Not known yet: it is counted once traces are whole and merged, some minutes after they came.',
  own: 'Own time',
  ownDetail: (service: string) => `of all own time of ${service}`,
  critical: 'Critical path',
  criticalDetail: (service: string) => `of the time of ${service} on critical paths`,
  matters: 'Own and critical',
  mattersDetail: 'of its own time is on a critical path: there, faster spans make faster traces',
  quietTitle: (operation: string) => `No spans of ${operation} in this time`,
  quiet: (service: string) => `${service} may have been silent, or the operation has another name by now.`,
  neverHeard: (service: string) => `No span of ${service} is stored: is its name right?`,
  lastDay: 'Last 24 hours',
  lastWeek: 'Last 7 days',
});
