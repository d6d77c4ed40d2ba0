// Texts of the tables of services and operations.

import { catalogue } from '../../i18n/catalogue.ts';

const percent = (ratio: number) => Math.round((ratio - 1) * 100);

export const text = catalogue('RedTable', {
  impact: 'Impact',
  impactOf: (name: string) => `Share of ${name} in rate × p95`,
  rate: 'Rate',
  errors: 'Errors',
  p50: 'p50',
  p95: 'p95',
  p99: 'p99',
  dayBefore: 'p95 vs day before',
  own: 'Own time',
  p95Trend: 'p95 trend',
  examples: 'Examples',
  change: (ratio: number) => {
    if (ratio >= 2) return `×${Number(ratio.toPrecision(2))}`;
    const points = percent(ratio);
    if (points === 0) return '± 0 %';
    return points > 0 ? `+${points} %` : `−${-points} %`;
  },
  changeTitle: (now: string, before: string) => `p95 ${now}, ${before} at the same time a day before`,
  trend: (name: string, first: string, last: string, most: string) =>
    `p95 of ${name}: from ${first} to ${last}, at most ${most}`,
});
