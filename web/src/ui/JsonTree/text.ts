// Texts of the JSON tree.

import { catalogue, plural } from '../../i18n/catalogue.ts';

export const text = catalogue('JsonTree', {
  entries: (n: number) => plural(n, { one: '# entry', other: '# entries' }),
  items: (n: number) => plural(n, { one: '# item', other: '# items' }),
  more: (n: number) => plural(n, { one: '# more', other: '# more' }),
});
