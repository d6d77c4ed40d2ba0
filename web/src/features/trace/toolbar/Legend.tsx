// What the colours mean, below the rows: services with their share of the self time, a press hides one or shows it
// again; or the values of the field that rows are coloured by.

import { formatCount, formatPercent } from '../../../format/number.ts';
import { cssColourOf, isHatched } from '../../../theme/palette.ts';
import { ServiceDot } from '../../../ui/ServiceName/ServiceName.tsx';
import { VisuallyHidden } from '../../../ui/VisuallyHidden/VisuallyHidden.tsx';
import { useTracePage } from '../state/page.tsx';
import css from './Legend.module.css';
import { toggleService } from './services.ts';
import { text } from './text.ts';

const VALUES_MAX = 24;

export function Legend() {
  const { colours } = useTracePage();
  return colours.field === null ? <ServiceLegend /> : <ValueLegend />;
}

function ServiceLegend() {
  const { session, hiddenServices } = useTracePage();
  return (
    <section aria-label={text.legend} className={css['legend']}>
      {session.facts.services.map(({ service, name, share }) => {
        const slot = session.slots[service] ?? -1;
        const isHidden = hiddenServices.has(service);
        return (
          <button
            key={name}
            type="button"
            className={css['entry']}
            aria-pressed={!isHidden}
            title={isHidden ? text.legendShow(name) : text.legendHide(name)}
            onClick={() => toggleService(session, hiddenServices, name)}
          >
            <ServiceDot color={cssColourOf(slot)} isHatched={isHatched(slot)} />
            <span className={css['name']}>{name}</span>
            <span className={css['share']}>{formatPercent(share)}</span>
            <VisuallyHidden>{text.ofSelf}</VisuallyHidden>
          </button>
        );
      })}
    </section>
  );
}

function ValueLegend() {
  const { colours } = useTracePage();
  const more = colours.legend.length - VALUES_MAX;
  return (
    <section aria-label={colours.field ?? text.legend} className={css['legend']}>
      <span className={css['field']}>{colours.field}</span>
      {colours.legend.slice(0, VALUES_MAX).map(({ value, slot, spans }) => (
        <span key={value} className={css['entry']}>
          <ServiceDot color={cssColourOf(slot)} isHatched={isHatched(slot)} />
          <span className={css['name']}>{value}</span>
          <span className={css['share']}>{formatCount(spans)}</span>
        </span>
      ))}
      {more > 0 && <span className={css['share']}>{text.more(more)}</span>}
    </section>
  );
}
