// The words for what of a link could not be read. They end the sentence that the frame begins.

import { catalogue, formatCount } from '../i18n/catalogue.ts';

export const text = catalogue('links', {
  packed: 'the packed part of the link is broken or of a later version, and left out',
  tooLong: 'the link is too long; its end is left out',
  unknown: (keys: string) => `not known here: ${keys}`,
  noTrace: (id: string) => `${id === '' ? 'the link' : id} names no trace: an id has up to 32 hex digits`,
  noTraceId: (value: string) => `${value} is not a trace id and left out`,
  noSpanId: (value: string) => `${value} is not a span id and left out`,
  noTraceOfSpan: (value: string) => `span=${value} names no trace and is left out`,
  broken: (key: string, value: string) => `${key}=${value} is not understood and left out`,
  noTime: (key: string, value: string) => `${key}=${value} is not a time and left out`,
  backwards: 'the end of the time range is not after its start; the usual range is shown',
  tooMany: (key: string, most: number) => `${key} has more than ${formatCount(most)} values; the rest is left out`,
  embed: 'of uiEmbed only v0 is known; the whole page is shown',
  besideQuery: 'the link has a query; service, operation, tags and durations beside it are left out',
  noGraph: "how Jaeger's graph was arranged is not kept",
  noQuality: 'there is no report on the quality of traces here; the state of Trackway is shown instead',
  noTag: (tag: string) => `tag=${tag} is no key:value and left out`,
  noTags: (json: string) => `tags=${json} is no JSON object and left out`,
  noTagValue: (key: string) => `the tag ${key} has no simple value and is left out`,
  tooManyTags: (most: number) => `the link has more than ${formatCount(most)} tags; the rest is left out`,
});
