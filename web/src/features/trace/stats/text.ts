// The words of the statistics.

import { catalogue } from '../../../i18n/catalogue.ts';

export const text = catalogue('traceStats', {
  caption: 'Time of the trace by group',
  groupBy: 'Group by',
  andBy: 'and by',
  nothing: 'Nothing else',
  noValue: 'no value',
  service: 'Service',
  name: 'Operation',
  kind: 'Kind',
  status: 'Status',
  depth: 'Level',
  critical: 'Critical path',
  count: 'Count',
  errors: 'Errors',
  total: 'Total',
  self: 'Self',
  average: 'Average',
  p95: 'p95',
  longest: 'Longest',
  share: 'Self share',
  shareOf: (percent: string) => `${percent} of the self time`,
  failed: 'The statistics could not be computed',
  none: 'No span is left by what is set above.',
  retry: 'Try again',
  note: 'Total counts spans within spans again; self time does not.',
});
