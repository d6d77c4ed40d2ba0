// The attributes of a span: pinned ones first, the others by namespace, with a filter where there are many.

import { useState } from 'react';
import type { KeyValue, SpanDetails } from '../../../api/types.ts';
import { boot } from '../../../core/boot.ts';
import { usePreferences } from '../../../core/preferences.ts';
import { KeyValueTable } from '../../../ui/KeyValueTable/KeyValueTable.tsx';
import { SearchField } from '../../../ui/SearchField/SearchField.tsx';
import css from './Details.module.css';
import { Section } from './Section.tsx';
import { text } from './text.ts';
import { useValueRows } from './useValueRows.tsx';
import { type FieldScope, namespacesOf, pinnedOf, textOfValue } from './values.ts';

const FILTER_FROM = 8;

export function Values({
  caption,
  attributes,
  scope,
  details,
}: {
  caption: string;
  attributes: readonly KeyValue[];
  scope: FieldScope;
  details: SpanDetails | null;
}) {
  const rows = useValueRows(attributes, scope, details);
  return <KeyValueTable caption={caption} rows={rows} />;
}

export function Pinned({ details }: { details: SpanDetails }) {
  const { pinned } = usePreferences();
  const pick = (attributes: readonly KeyValue[]) => pinnedOf(attributes, pinned, boot.pinnedPrefixes);
  const own = pick(details.attributes);
  const resource = pick(details.resource);
  if (own.length + resource.length === 0) return null;
  return (
    <Section title={text.pinned}>
      {own.length > 0 && <Values caption={text.pinned} attributes={own} scope="span" details={details} />}
      {resource.length > 0 && (
        <Values caption={text.resource} attributes={resource} scope="resource" details={details} />
      )}
    </Section>
  );
}

export function Attributes({ details }: { details: SpanDetails }) {
  const { attributes, droppedAttributes } = details;
  const [wanted, setWanted] = useState('');
  const lower = wanted.trim().toLowerCase();
  const found = attributes.filter(
    ({ key, value }) => key.toLowerCase().includes(lower) || textOfValue(value).toLowerCase().includes(lower),
  );
  const groups = namespacesOf(found);
  return (
    <Section
      title={text.attributes}
      count={attributes.length}
      tools={
        attributes.length >= FILTER_FROM && (
          <SearchField label={text.filter} value={wanted} onChange={setWanted} className={css['filter']} />
        )
      }
    >
      {attributes.length === 0 && <p className={css['note']}>{text.noAttributes}</p>}
      {attributes.length > 0 && found.length === 0 && <p className={css['note']}>{text.noneLike}</p>}
      {groups.map(({ name, attributes: group }) => (
        <div key={name} className={css['namespace']}>
          {groups.length > 1 && <h4 className={css['namespaceName']}>{name === '' ? text.other : name}</h4>}
          <Values caption={name === '' ? text.attributes : name} attributes={group} scope="span" details={details} />
        </div>
      ))}
      {droppedAttributes > 0 && <p className={css['note']}>{text.dropped(droppedAttributes)}</p>}
    </Section>
  );
}
