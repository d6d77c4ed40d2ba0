// Which versions of the service run, and where: from the spans of the range, each a way to its own.

import type { Facet, FacetValue, OverviewAnswer } from '../../api/types.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { placeOfSearch } from '../../core/places.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { serviceQuery } from '../../core/serviceQuery.ts';
import { formatCount, formatCountExact, formatPercent } from '../../format/number.ts';
import { Asked } from '../../ui/Asked/Asked.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { Table, type TableColumn } from '../../ui/Table/Table.tsx';
import type { Place, ServiceState } from '../../url/index.ts';
import { withConjunct } from '../../url/queryText.ts';
import css from './Service.module.css';
import { text } from './text.ts';

const VERSION = 'resource.service.version';
/** What tells instances apart, the best first. */
const INSTANCES = ['resource.service.instance.id', 'resource.k8s.pod.name', 'resource.host.name'] as const;
export const INSTANCE_FACETS: readonly string[] = [VERSION, ...INSTANCES];

const facetOf = ({ facets }: OverviewAnswer, field: string) => facets.find((facet) => facet.field === field);

/** The first of the fields that spans have. */
function instancesOf(answer: OverviewAnswer): Facet | undefined {
  return INSTANCES.map((field) => facetOf(answer, field)).find(
    (facet) => facet !== undefined && facet.values.length > 0,
  );
}

type ValuesProps = {
  title: string;
  caption: string;
  none: string;
  facet: Facet | undefined;
  share: number;
  state: ServiceState;
};

function Values({ title, caption, none, facet, share, state }: ValuesProps) {
  const { service, range } = state;
  const field = facet?.field ?? '';
  const place = ({ literal }: FacetValue): Place => {
    const q = serviceQuery({ service });
    return placeOfSearch({ q: withConjunct(q, `${field} = ${literal}`) ?? q, range, scope: 'spans' });
  };
  const columns: TableColumn<FacetValue>[] = [
    {
      id: 'value',
      header: field === '' ? text.value : field.slice('resource.'.length),
      isRowHeader: true,
      isMono: true,
      cell: (value) => (
        <a className={css['value']} tabIndex={-1} href={hrefOf(place(value))} title={value.value}>
          {value.value === '' ? value.literal : value.value}
        </a>
      ),
    },
    {
      id: 'spans',
      header: text.spanCount,
      align: 'end',
      width: '88px',
      cell: ({ count }) => <span title={formatCountExact(count)}>{formatCount(count)}</span>,
    },
    {
      id: 'errors',
      header: text.errors,
      align: 'end',
      width: '88px',
      cell: ({ count, errors }) => (
        <span title={formatCountExact(errors)}>{formatPercent(errors / Math.max(1, count))}</span>
      ),
    },
  ];
  const notes = facet === undefined ? [] : notesOf(facet, share);
  return (
    <section aria-label={caption} className={css['section']}>
      <h2 className={css['heading']}>{title}</h2>
      <Table
        caption={caption}
        columns={columns}
        rows={facet?.values ?? []}
        rowKey={({ literal }) => literal}
        onOpen={(value) => go(place(value))}
        empty={<EmptyState isSmall level={3} title={none} />}
      />
      {notes.map((note) => (
        <p key={note} className={css['note']}>
          {note}
        </p>
      ))}
    </section>
  );
}

function notesOf({ values, others, missing }: Facet, share: number): string[] {
  return [
    ...(others > 0 ? [text.otherValues(others)] : []),
    ...(missing > 0 && values.length > 0 ? [text.withoutValue(missing)] : []),
    ...(share < 1 ? [text.sampled(formatPercent(share))] : []),
  ];
}

export function Instances({ asked, state }: { asked: AskedAnswer<OverviewAnswer>; state: ServiceState }) {
  const { service } = state;
  return (
    <Asked asked={asked} failed={text.instancesFailed} what={text.instancesWhat} rows={3} columns="3fr 1fr 1fr">
      {(answer) => (
        <div className={css['neighbours']}>
          <Values
            title={text.versions}
            caption={text.versionsCaption(service)}
            none={text.noVersions}
            facet={facetOf(answer, VERSION)}
            share={answer.facetShare}
            state={state}
          />
          <Values
            title={text.instances}
            caption={text.instancesCaption(service)}
            none={text.noInstances}
            facet={instancesOf(answer)}
            share={answer.facetShare}
            state={state}
          />
        </div>
      )}
    </Asked>
  );
}
