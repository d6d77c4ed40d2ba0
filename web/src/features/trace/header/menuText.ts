// The words of what can be done with a whole trace, of its summary, and of notices.

import { catalogue, plural } from '../../../i18n/catalogue.ts';

export const text = catalogue('traceMenu', {
  orphans: (n: number) =>
    plural(n, { one: '# span has a parent that is not here', other: '# spans have parents that are not here' }),
  skew: (n: number) => plural(n, { one: '# span had its clock moved', other: '# spans had their clocks moved' }),
  incomplete: (n: number) => plural(n, { one: '# span has no end', other: '# spans have no end' }),
  warnings: (n: number) => plural(n, { one: '# warning', other: '# warnings' }),
  warningsLabel: 'What is odd about this trace',
  more: 'More about this trace',
  archive: 'Archive',
  archived: 'Archived',
  archiveFailed: 'Not archived',
  downloadOtlp: 'Download as OTLP JSON',
  downloadJaeger: 'Download as Jaeger JSON',
  downloadFlame: 'Download the flame view as PNG',
  copySummary: 'Copy a summary as Markdown',
  tooLarge: 'too large',
  preparing: 'The file is being made',
  downloadFailed: 'Not downloaded',
  copySkeleton: 'Copy a curl command',
  compare: 'Put aside to compare',
  uncompare: 'Take back from comparing',
  copied: 'Copied',
  spanNotHere: (id: string) => `The link is to the span ${id}, which is not in this trace.`,
  focusNotHere: (id: string) =>
    `The link shows only what is below the span ${id}, which is not in this trace: all is shown.`,
  servicesNotHere:
    'The link shows only some services, but this trace has others than when the link was made: all are shown.',
  fromFile: (name: string) => `From the file ${name}; the server does not know this trace.`,
  slowest: 'Most time',
  share: (service: string, percent: string) => `${service} ${percent}`,
  ofTrace: 'Trace',
  errorsHead: 'Errors',
  moreErrors: (n: number) => plural(n, { one: 'and # more', other: 'and # more' }),
  started: 'Started',
});
