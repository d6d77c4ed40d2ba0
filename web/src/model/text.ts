// The words for what of a trace file could not be read.

import { catalogue, formatCount } from '../i18n/catalogue.ts';

export const text = catalogue('files', {
  more: (n: number) => `${formatCount(n)} more`,
  moreWhy: 'for reasons like these',
  noSpans: 'there are no spans in it',
  at: (name: string, line: number, column: number) => `${name}, line ${line}, column ${column}`,
  noJson: (why: string) => `it is not JSON: ${why}`,
  noTrace: 'it is neither a Jaeger nor an OTLP trace',
  noEnd: 'its end is not known, or lies before its start',
  span: (id: string) => `span ${id}`,
  noStart: 'it has no start time',
});
