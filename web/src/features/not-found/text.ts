// The words of the page for what is no page.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('notFound', {
  title: 'There is no such page',
  nothingAt: (path: string) => `Nothing is at ${path}.`,
  home: 'Home',
  explore: 'Explore',
});
