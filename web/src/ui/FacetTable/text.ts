// Texts of the tables of values.

import { catalogue, plural } from '../../i18n/catalogue.ts';

export const text = catalogue('FacetTable', {
  value: 'Value',
  spans: 'Spans',
  errors: 'Errors',
  otherValues: (n: number) => plural(n, { one: '# span has another value', other: '# spans have other values' }),
  withoutValue: (n: number) => plural(n, { one: '# span says nothing of it', other: '# spans say nothing of it' }),
  sampled: (share: string) => `Counted over ${share} of the spans`,
});
