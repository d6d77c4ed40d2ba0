// Everything about a span, in the order in which one asks: errors, pinned, attributes, events, links, where it is from.

import { useMemo } from 'react';
import type { SpanDetails } from '../../../api/types.ts';
import type { RowIndex } from '../../../model/columns.ts';
import { Banner } from '../../../ui/Banner/Banner.tsx';
import { type Json, JsonTree } from '../../../ui/JsonTree/JsonTree.tsx';
import { useTracePage } from '../state/page.tsx';
import { badgesOf } from '../waterfall/rowText.ts';
import { Attributes, Pinned, Values } from './Attributes.tsx';
import css from './Details.module.css';
import { ErrorPart } from './ErrorPart.tsx';
import { EventsPart, LinksPart } from './EventsPart.tsx';
import { Section } from './Section.tsx';
import { text } from './text.ts';

export function DetailsBody({ details, row }: { details: SpanDetails; row: RowIndex }) {
  const { session } = useTracePage();
  const odd = badgesOf(session.columns.flags[row] as number).map(({ long }) => long);
  const warnings = [...odd, ...details.warnings];
  const { scope } = details;
  // The shapes of answers are JSON by nature.
  const raw = useMemo(() => JSON.parse(JSON.stringify(details)) as Json, [details]);
  return (
    <>
      <ErrorPart details={details} />
      {warnings.length > 0 && (
        <Banner tone="warn">
          {warnings.length === 1 ? (
            warnings[0]
          ) : (
            <ul>
              {warnings.map((warning) => (
                <li key={warning}>{warning}</li>
              ))}
            </ul>
          )}
        </Banner>
      )}
      <Pinned details={details} />
      <Attributes details={details} />
      <EventsPart details={details} />
      <LinksPart details={details} />
      <Section title={text.resource} count={details.resource.length}>
        <Values caption={text.resource} attributes={details.resource} scope="resource" details={details} />
      </Section>
      <Section title={text.scope} isOpen={false}>
        {scope.name === '' ? (
          <p className={css['note']}>{text.noScope}</p>
        ) : (
          <p className={css['scope']}>
            <span className={css['mono']}>{scope.name}</span> <span className={css['quiet']}>{scope.version}</span>
          </p>
        )}
        {scope.attributes.length > 0 && (
          <Values caption={text.scope} attributes={scope.attributes} scope="instrumentation" details={details} />
        )}
        {details.traceState !== '' && (
          <p className={css['scope']}>
            <span className={css['quiet']}>{text.traceState}</span>{' '}
            <span className={css['mono']}>{details.traceState}</span>
          </p>
        )}
      </Section>
      <Section title={text.raw} isOpen={false}>
        <JsonTree label={text.rawLabel} value={raw} openDepth={1} />
      </Section>
    </>
  );
}
