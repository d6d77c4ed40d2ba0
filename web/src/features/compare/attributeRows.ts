// What differs between two spans: what they are, their attributes, the resources that sent them. Pure.

import type { AttributeValue, KeyValue, SpanDetails } from '../../api/types.ts';
import { formatDuration, formatExactNs } from '../../format/duration.ts';
import { text } from './text.ts';

type Difference = 'same' | 'differs' | 'onlyA' | 'onlyB';
export type AttributeRow = {
  readonly key: string;
  readonly a: string | null;
  readonly b: string | null;
  readonly difference: Difference;
};
export type AttributeGroup = {
  readonly id: 'span' | 'attributes' | 'resource';
  readonly rows: readonly AttributeRow[];
};

function valueText(value: AttributeValue): string {
  return value.type === 'empty' ? '' : String(value.value);
}

/** Values by key; a key that is there more than once has them all, in their order. */
function valuesOf(attributes: readonly KeyValue[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const { key, value } of attributes) {
    const before = values.get(key);
    values.set(key, before === undefined ? valueText(value) : `${before}\n${valueText(value)}`);
  }
  return values;
}

function aligned(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>, isSorted: boolean): AttributeRow[] {
  const keys = [...new Set([...a.keys(), ...b.keys()])];
  if (isSorted) keys.sort();
  return keys.map((key) => {
    const [left, right] = [a.get(key) ?? null, b.get(key) ?? null];
    const difference = left === null ? 'onlyB' : right === null ? 'onlyA' : left === right ? 'same' : 'differs';
    return { key, a: left, b: right, difference };
  });
}

function facts(span: SpanDetails): Map<string, string> {
  return new Map([
    [text.factService, span.service],
    [text.factName, span.name],
    [text.factKind, span.kind],
    [text.factStatus, span.statusMessage === '' ? span.status : `${span.status}: ${span.statusMessage}`],
    [text.factDuration, `${formatDuration(span.durationNs)} (${formatExactNs(span.durationNs)})`],
    [text.factEvents, String(span.events.length)],
    [text.factLinks, String(span.links.length)],
    [text.factScope, [span.scope.name, span.scope.version].filter((part) => part !== '').join(' ')],
  ]);
}

export function attributeGroups(a: SpanDetails | null, b: SpanDetails | null): AttributeGroup[] {
  const side = <T>(span: SpanDetails | null, read: (span: SpanDetails) => Map<string, T>) =>
    span ? read(span) : new Map<string, T>();
  return [
    { id: 'span', rows: aligned(side(a, facts), side(b, facts), false) },
    {
      id: 'attributes',
      rows: aligned(
        side(a, (span) => valuesOf(span.attributes)),
        side(b, (span) => valuesOf(span.attributes)),
        true,
      ),
    },
    {
      id: 'resource',
      rows: aligned(
        side(a, (span) => valuesOf(span.resource)),
        side(b, (span) => valuesOf(span.resource)),
        true,
      ),
    },
  ];
}

export function countDifferences(groups: readonly AttributeGroup[]): number {
  return groups.reduce((sum, { rows }) => sum + rows.filter(({ difference }) => difference !== 'same').length, 0);
}
