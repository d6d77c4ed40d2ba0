// The tags of a Jaeger search as conditions of a query: `tags={"k":"v"}`, and the older `tag=k:v`.
//
// Jaeger's tags have no types and some of them are no attributes of a span: an SDK's status, kind and scope are tags
// there and fields here.

import { type Params, shortened } from './fields.ts';
import { type Literal, printComparison, untypedComparison } from './queryText.ts';
import { parseKind } from './service.ts';
import { text } from './text.ts';

const TAGS_MAX = 200;

/** Tags that are fields of a span. */
const TEXT_FIELDS: Readonly<Record<string, string>> = {
  'otel.status_description': 'statusMessage',
  'otel.scope.name': 'instrumentation:name',
  'otel.scope.version': 'instrumentation:version',
  'otel.library.name': 'instrumentation:name',
  'otel.library.version': 'instrumentation:version',
};

/** A condition for each tag, in the order of the link; of a tag that is there twice the last counts. */
export function jaegerTags(params: Params): string[] {
  const tags = new Map<string, string>();
  for (const tag of params.all('tag')) {
    const at = tag.indexOf(':');
    if (at > 0) tags.set(tag.slice(0, at), tag.slice(at + 1));
    else if (tag !== '') params.note(text.noTag(shortened(tag)));
  }
  for (const json of params.all('tags')) if (json !== '') readJson(json, tags, params);
  if (tags.size > TAGS_MAX) params.note(text.tooManyTags(TAGS_MAX));
  return [...tags].slice(0, TAGS_MAX).map(([key, value]) => condition(key, value));
}

function readJson(json: string, tags: Map<string, string>, params: Params): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    parsed = null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    params.note(text.noTags(shortened(json)));
    return;
  }
  for (const [key, value] of Object.entries(parsed)) {
    // Jaeger writes texts only; people who write links by hand do not.
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      tags.set(key, String(value));
    else params.note(text.noTagValue(shortened(key)));
  }
}

function condition(key: string, value: string): string {
  if (key === 'error' && (value === 'true' || value === 'false'))
    return word('status', value === 'true' ? '=' : '!=', 'error');
  const status = value.toLowerCase();
  if (key === 'otel.status_code' && (status === 'ok' || status === 'error')) return word('status', '=', status);
  const kind = key === 'span.kind' ? parseKind(value) : null;
  if (kind !== null) return word('kind', '=', kind);
  const field = Object.hasOwn(TEXT_FIELDS, key) ? TEXT_FIELDS[key] : undefined;
  if (field === undefined) return untypedComparison(key, value);
  const text: Literal = { kind: 'text', text: value };
  return printComparison({ field, op: '=', value: text });
}

function word(field: string, op: '=' | '!=', value: string): string {
  return printComparison({ field, op, value: { kind: 'word', word: value } });
}
