// The words of the trace page as a whole.

import { catalogue, plural } from '../../i18n/catalogue.ts';

export const text = catalogue('tracePage', {
  title: (service: string, name: string) => `${service} ${name}`.trim(),
  loading: 'Loading the trace',
  loadingWhat: 'the trace from the store',
  cancelled: 'Loading was cancelled',
  failed: 'The trace could not be loaded',
  notFound: 'Trace not found',
  notFoundTitle: (id: string) => `Trace ${id.slice(0, 8)}… not found`,
  searched: (spans: number) =>
    `Looked through: all of the store, ${plural(spans, { one: '# span', other: '# spans' })}.`,
  kept: (retention: string) => `What is kept: ${retention}.`,
  keptSince: (retention: string, since: string) => `What is kept: ${retention}; so nothing from before ${since}.`,
  notFoundWhere: (id: string) => `Nothing in the store has the id ${id}, in any time range.`,
  notFoundWhy: 'It may be older than what is kept, not have arrived yet, or be from another system.',
  tryAgain: 'Try again',
  explore: 'Explore',
  settingsOfStore: 'What is kept, and since when',
  empty: 'The trace has no spans',
  partial: (spans: number) =>
    `${plural(spans, { one: '# span is', other: '# spans are' })} here, others are on their way…`,
  growing: 'Spans of this trace are still arriving; new ones are added as they come.',
  grown: (spans: number) => `${plural(spans, { one: '# new span', other: '# new spans' })}`,
  refreshFailed: 'A newer version could not be loaded; this is what is known.',
  views: 'Views of the trace',
  viewFailed: 'This view could not be shown',
  details: 'Details of the span',
  detailsSize: 'Size of the details',
  cardSelf: (value: string) => `self ${value}`,
  cardStart: (value: string) => `starts at ${value}`,
  cardError: 'error',
  cardErrors: (n: number) => plural(n, { one: '# error', other: '# errors' }),
  cardSum: (value: string) => `sum ${value}`,
  cardAverage: (value: string) => `average ${value}`,
  waterfall: 'Waterfall',
  flame: 'Flame',
  table: 'Table',
  stats: 'Statistics',
  events: 'Events',
});
