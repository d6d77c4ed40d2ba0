// What tells the spans of the operation apart: the values of their attributes that repeat, and which of them fail.

import type { Facet, OverviewAnswer } from '../../api/types.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { placeOfValue } from '../../core/places.ts';
import { FacetTable } from '../../ui/FacetTable/FacetTable.tsx';
import type { OperationState } from '../../url/index.ts';
import css from './Operation.module.css';
import { text } from './text.ts';

type AttributesProps = { answer: OverviewAnswer; q: string; state: OperationState };

/** One value of all spans tells none apart. */
const tellsApart = ({ values, others, missing }: Facet) =>
  values.length > 1 || (values.length === 1 && others + missing > 0);

export function Attributes({ answer, q, state: { operation, range } }: AttributesProps) {
  const facets = answer.facets.filter(tellsApart);
  if (facets.length === 0) return <p className={css['quiet']}>{text.attributesNothing}</p>;
  return (
    <div className={css['attributes']}>
      {facets.map((facet) => {
        const placeOf = placeOfValue({ q, range, scope: 'spans' }, facet.field);
        return (
          <FacetTable
            key={facet.field}
            title={facet.field}
            level={3}
            caption={text.attributeCaption(facet.field, operation)}
            facet={facet}
            share={answer.facetShare}
            none={text.attributesNothing}
            hrefOf={(value) => hrefOf(placeOf(value))}
            onOpen={(value) => go(placeOf(value))}
          />
        );
      })}
    </div>
  );
}
