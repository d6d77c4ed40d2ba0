// Links to other tools by template, as Jaeger's configuration has them: `#{key}` stands for a value of the span, of its
// resource, or of the trace, and may be transformed: `#{startTime | epoch_micros_to_date_iso}`.

import type { KeyValue, SpanDetails } from '../../../api/types.ts';
import type { LinkTemplate } from '../../../core/boot.ts';
import { fillPlaceholders, transformed } from '../../../core/linkTransforms.ts';
import type { TraceSession } from '../state/session.ts';
import { textOfValue } from './values.ts';

export type TraceFacts = {
  readonly traceID: string;
  readonly traceName: string;
  readonly duration: string;
  readonly startTime: string;
  readonly endTime: string;
};

export function traceFacts(session: TraceSession): TraceFacts {
  const { columns, facts } = session;
  const startUs = columns.startNs / 1000n;
  const durationUs = BigInt(Math.round(columns.durationNs / 1000));
  return {
    traceID: columns.traceId,
    traceName: `${facts.rootService}: ${facts.rootName}`,
    duration: String(durationUs),
    startTime: String(startUs),
    endTime: String(startUs + durationUs),
  };
}

export type MadeLink = { readonly url: string; readonly text: string };

const KINDS: Readonly<Record<string, string>> = {
  process: 'resource',
  resource: 'resource',
  tags: 'attributes',
  attributes: 'attributes',
  logs: 'events',
  events: 'events',
  traces: 'traces',
};

export type LinkKind = 'resource' | 'attributes' | 'events' | 'traces';

/** Only what a browser opens as a page. */
function isSafe(url: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(url, 'http://localhost/').protocol);
  } catch {
    return false;
  }
}

function fill(template: string, valueFor: (name: string) => string | null, isUrl: boolean): string | null {
  let isWhole = true;
  const filled = fillPlaceholders(template, ({ key, transforms }) => {
    const value = valueFor(key);
    if (value === null) isWhole = false;
    const shown = transformed(value ?? '', transforms);
    return isUrl ? encodeURIComponent(shown) : shown;
  });
  return isWhole ? filled : null;
}

function keysOf(pattern: LinkTemplate): readonly string[] {
  return pattern.key === null ? [] : [pattern.key];
}

/** The links of one value (by its key), or of the trace where `key` is null. */
export function linksOf(
  patterns: readonly LinkTemplate[],
  kind: LinkKind,
  key: string | null,
  own: readonly KeyValue[],
  span: SpanDetails | null,
  trace: TraceFacts,
): MadeLink[] {
  const valueFor = (name: string): string | null => {
    for (const attributes of [own, span?.attributes ?? [], span?.resource ?? []]) {
      const found = attributes.find((attribute) => attribute.key === name);
      if (found !== undefined) return textOfValue(found.value);
    }
    const name2 = name.replace(/^trace\./, '') as keyof TraceFacts;
    return trace[name2] ?? null;
  };
  const links: MadeLink[] = [];
  for (const pattern of patterns) {
    if (KINDS[pattern.type] !== kind) continue;
    if (key !== null && !keysOf(pattern).some((one) => one === key || one === '*')) continue;
    const url = fill(pattern.url, valueFor, true);
    const text = fill(pattern.text, valueFor, false);
    if (url !== null && text !== null && isSafe(url)) links.push({ url, text });
  }
  return links;
}
