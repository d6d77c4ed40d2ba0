// Which versions of the service run, and where: from the spans of the range, each a way to its own.

import type { Facet, OverviewAnswer } from '../../api/types.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { placeOfValue } from '../../core/places.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { serviceQuery } from '../../core/serviceQuery.ts';
import { Asked } from '../../ui/Asked/Asked.tsx';
import { FacetTable } from '../../ui/FacetTable/FacetTable.tsx';
import type { ServiceState } from '../../url/index.ts';
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

function Values({ facet, state: { service, range }, ...rest }: ValuesProps) {
  const placeOf = placeOfValue({ q: serviceQuery({ service }), range, scope: 'spans' }, facet?.field ?? '');
  return (
    <FacetTable
      {...rest}
      facet={facet}
      field={facet?.field.slice('resource.'.length)}
      hrefOf={(value) => hrefOf(placeOf(value))}
      onOpen={(value) => go(placeOf(value))}
    />
  );
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
