// Who calls the service and whom it calls, with rate, errors and durations of these calls as the called side saw them.

import type { Edge, EdgesAnswer } from '../../api/types.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { overRange, placeOfService } from '../../core/places.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { statOf } from '../../model/red.ts';
import { serviceColour } from '../../theme/palette.ts';
import { Asked } from '../../ui/Asked/Asked.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { type RedRow, RedTable } from '../../ui/RedTable/RedTable.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import type { ServiceState } from '../../url/index.ts';
import { Examples } from './Operations.tsx';
import css from './Service.module.css';
import { text } from './text.ts';

type Side = 'caller' | 'callee';

function rowsOf(answer: EdgesAnswer, side: Side, { service, range }: ServiceState): RedRow[] {
  const other: Side = side === 'caller' ? 'callee' : 'caller';
  const place = (name: string) => hrefOf(overRange(placeOfService(name), range));
  const rows = answer.edges
    .filter((edge) => edge[other] === service)
    .map((edge: Edge) => {
      // Spans that enter from outside have no caller.
      const name = edge[side] === '' ? text.outside : edge[side];
      return {
        key: `${edge[side]} ${edge.isAsync}`,
        name,
        href: edge[side] === '' ? undefined : place(edge[side]),
        lead: edge[side] === '' ? undefined : <ServiceDot color={serviceColour(edge[side])} />,
        detail: edge.isAsync ? text.async : undefined,
        stat: statOf(edge.total, null, answer.seconds),
        links: <Examples slowest={edge.slowest} failed={edge.failed} name={name} />,
      };
    });
  return rows.sort((a, b) => b.stat.perSecond - a.stat.perSecond);
}

function Calls({ side, answer, state }: { side: Side; answer: EdgesAnswer; state: ServiceState }) {
  const rows = rowsOf(answer, side, state);
  const title = side === 'caller' ? text.callers : text.callees;
  const id = `service-${side}s`;
  return (
    <section aria-labelledby={id} className={css['section']}>
      <h2 id={id} className={css['heading']}>
        {title}
      </h2>
      <RedTable
        caption={side === 'caller' ? text.callersCaption(state.service) : text.calleesCaption(state.service)}
        nameHeader={text.service}
        rows={rows}
        extras={['links']}
        linksWidth="112px"
        areLinksKept
        onOpen={({ href, name }) => {
          if (href !== undefined) go(overRange(placeOfService(name), state.range));
        }}
        empty={<EmptyState isSmall level={3} title={side === 'caller' ? text.noCallers : text.noCallees} />}
      />
    </section>
  );
}

export function Neighbours({ asked, state }: { asked: AskedAnswer<EdgesAnswer>; state: ServiceState }) {
  return (
    <Asked asked={asked} failed={text.edgesFailed} rows={3} columns="3fr 1fr 1fr 3fr 1fr 1fr">
      {(answer) => (
        <div className={css['neighbours']}>
          <Calls side="caller" answer={answer} state={state} />
          <Calls side="callee" answer={answer} state={state} />
        </div>
      )}
    </Asked>
  );
}
