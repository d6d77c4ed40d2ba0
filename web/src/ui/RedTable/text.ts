// Texts of the tables of services and operations.

import { catalogue } from '../../i18n/catalogue.ts';

/** "×4.2" from twice as much on, else "+12 %". */
export function changeWords(ratio: number): string {
  if (ratio >= 2) return `×${Number(ratio.toPrecision(2))}`;
  const points = Math.round((ratio - 1) * 100);
  if (points === 0) return '± 0 %';
  return points > 0 ? `+${points} %` : `−${-points} %`;
}

export const text = catalogue('RedTable', {
  impact: 'Impact',
  impactOf: (name: string) => `Share of ${name} in rate × p95`,
  rate: 'Rate',
  errors: 'Errors',
  p50: 'p50',
  p95: 'p95',
  p99: 'p99',
  dayBefore: 'vs yesterday',
  own: 'Own time',
  p95Trend: 'p95 trend',
  examples: 'Examples',
  changeTitle: (now: string, before: string) => `p95 ${now}, ${before} at the same time a day before`,
  trend: (name: string, first: string, last: string, most: string) =>
    `p95 of ${name}: from ${first} to ${last}, at most ${most}`,
});
