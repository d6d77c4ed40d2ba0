// Texts of the menu on a value.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('ValueMenu', {
  open: (what: string) => `Actions for ${what}`,
  filterIn: 'Only this',
  filterOut: 'Exclude this',
  copy: 'Copy value',
  copyKey: 'Copy key',
  colourBy: 'Colour by this key',
  groupBy: 'Group by this key',
  addColumn: 'Show as column',
  removeColumn: 'Remove column',
  pin: 'Pin to the top',
  unpin: 'Unpin',
});
