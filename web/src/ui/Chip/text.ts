// Texts of a chip.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('Chip', {
  edit: 'Edit…',
  editing: (chip: string) => `Edit ${chip}`,
  include: 'Include',
  exclude: 'Exclude',
  excluded: 'not',
  remove: 'Remove',
  removeThis: (chip: string) => `Remove ${chip}`,
});
