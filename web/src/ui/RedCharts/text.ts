// Texts of the charts of rate, errors and durations.

import { catalogue } from '../../i18n/catalogue.ts';

export const text = catalogue('RedCharts', {
  overTime: 'Over time',
  rate: 'Rate',
  spans: 'spans',
  errors: 'Errors',
  failing: 'share that fails',
  durations: 'Duration',
  pick: 'Enter shows the traces of this moment',
  hint: 'Press a moment for its traces, drag to zoom',
  shownAs: 'Shown as',
  charts: 'Charts',
  table: 'Table',
  time: (zone: string) => `Time (${zone})`,
  caption: (name: string) => `Rate, errors and durations of ${name} over time`,
});
