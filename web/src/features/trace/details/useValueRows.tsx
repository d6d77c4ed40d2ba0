// Attributes as rows of a table: how each value is shown, and what can be done with it.

import { ExternalLink, Search } from 'lucide-react';
import type { KeyValue, SpanDetails } from '../../../api/types.ts';
import { configured } from '../../../core/boot.ts';
import { go } from '../../../core/navigation.ts';
import { placeOfQuery } from '../../../core/places.ts';
import { prefer, preferences, usePreferences } from '../../../core/preferences.ts';
import { JsonTree } from '../../../ui/JsonTree/JsonTree.tsx';
import type { KeyValueRow } from '../../../ui/KeyValueTable/KeyValueTable.tsx';
import { MenuItem } from '../../../ui/Menu/Menu.tsx';
import { stateNow, update, useTracePage } from '../state/page.tsx';
import { type LinkKind, linksOf, traceFacts } from './linkTemplates.ts';
import { Sql } from './Sql.tsx';
import { text } from './text.ts';
import { comparisonOf, dialectOf, type FieldScope, fieldOf, isLiteral, isSql, jsonOf, textOfValue } from './values.ts';

const KIND_OF: Readonly<Record<FieldScope, LinkKind>> = {
  span: 'attributes',
  resource: 'resource',
  event: 'events',
  link: 'attributes',
  instrumentation: 'attributes',
};
/** Room around a trace when Explore is asked for others like it. */
const AROUND_NS = 30n * 60_000_000_000n;

export function useValueRows(
  attributes: readonly KeyValue[],
  scope: FieldScope,
  details: SpanDetails | null,
): KeyValueRow[] {
  const page = useTracePage();
  const { pinned } = usePreferences();
  const { cols } = page.state;
  const { columns } = page.session;
  const isFile = page.fileName !== null;

  const explore = (query: string) => {
    const place = placeOfQuery(`{ ${query} }`);
    if (place.page !== 'search') return;
    const endNs = columns.startNs + BigInt(Math.round(columns.durationNs));
    const range = { kind: 'absolute', fromNs: columns.startNs - AROUND_NS, toNs: endNs + AROUND_NS } as const;
    go({ ...place, state: { ...place.state, range } });
  };

  return attributes.map(({ key, value }): KeyValueRow => {
    const field = fieldOf(key, scope);
    const plain = textOfValue(value);
    const json = jsonOf(value);
    const canPin = scope === 'span' || scope === 'resource';
    const isPinned = pinned.includes(key);
    const isColumn = cols.includes(field);
    const links = linksOf(configured.links, KIND_OF[scope], key, attributes, details, traceFacts(page.session));
    return {
      key,
      value: plain,
      isLiteral: isLiteral(value),
      shown:
        json !== null ? (
          <JsonTree label={text.value(key)} value={json} openDepth={0} />
        ) : isSql(key, value) ? (
          <Sql
            label={text.value(key)}
            statement={plain}
            dialect={details === null ? 'postgresql' : dialectOf(details)}
          />
        ) : undefined,
      actions: isFile
        ? { ...(canPin && pinVerbs(key, isPinned)) }
        : {
            filterIn: () => explore(comparisonOf(key, value, scope, '=')),
            filterOut: () => explore(comparisonOf(key, value, scope, '!=')),
            colourBy: () => update({ colour: field }),
            ...(isColumn
              ? { removeColumn: () => update({ cols: cols.filter((one) => one !== field) }) }
              : { addColumn: () => update({ cols: [...(stateNow()?.cols ?? []), field] }, 'push') }),
            ...(canPin && pinVerbs(key, isPinned)),
          },
      more: (
        <>
          {!isFile && (
            <MenuItem
              id="find"
              icon={Search}
              label={text.find}
              onAction={() => update({ find: `{ ${comparisonOf(key, value, scope, '=')} }` })}
            />
          )}
          {links.map(({ url, text: label }) => (
            <MenuItem
              key={url}
              id={url}
              icon={ExternalLink}
              label={label}
              onAction={() => open(url, '_blank', 'noopener')}
            />
          ))}
        </>
      ),
    };
  });
}

function pinVerbs(key: string, isPinned: boolean) {
  return isPinned
    ? { unpin: () => prefer({ pinned: preferences().pinned.filter((one) => one !== key) }) }
    : { pin: () => prefer({ pinned: [...preferences().pinned, key] }) };
}
