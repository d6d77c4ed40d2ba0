// What needs a look: an operation that is slower, or fails more often, than at the same time a day before. The rule
// with its numbers is behind the number.

import type { Look } from '../../api/types.ts';
import { hrefOf } from '../../core/navigation.ts';
import { overRange, placeOfOperation, placeOfSearch, placeOfService } from '../../core/places.ts';
import { formatDuration } from '../../format/duration.ts';
import { formatPercent } from '../../format/number.ts';
import { serviceColour } from '../../theme/palette.ts';
import { LinkButton } from '../../ui/LinkButton/LinkButton.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import { Hint } from '../../ui/Tooltip/Tooltip.tsx';
import type { TimeRange } from '../../url/index.ts';
import css from './Home.module.css';
import { text } from './text.ts';

function factOf({ what, now, before }: Look): { now: string; before: string } {
  if (what === 'failing') {
    return {
      now: text.failing(formatPercent(now)),
      before: before === null ? text.newNow : text.was(formatPercent(before)),
    };
  }
  return {
    now: text.slow(formatDuration(now)),
    before: before === null || before === 0 ? text.newNow : text.times(now / before),
  };
}

function LookRow({ look, range }: { look: Look; range: TimeRange }) {
  const { service, operation, what, query, rule } = look;
  const fact = factOf(look);
  const traces = placeOfSearch({ q: query, range, sort: what === 'slow' ? 'slowest' : 'newest' });
  const name = `${service} ${operation}`;
  return (
    <li className={css['look']}>
      <span aria-hidden className={css['lookMark']} data-what={what}>
        {what === 'slow' ? '▲' : '●'}
      </span>
      <span className={css['lookName']}>
        <a href={hrefOf(overRange(placeOfService(service), range))} className={css['lookService']} title={service}>
          <ServiceDot color={serviceColour(service)} />
          <span className={css['cut']}>{service}</span>
        </a>
        <a
          href={hrefOf(overRange(placeOfOperation(service, operation), range))}
          className={css['lookOperation']}
          title={operation}
        >
          {operation}
        </a>
      </span>
      <Hint text={rule} className={css['lookFact']}>
        <span data-what={what} className={css['lookNow']}>
          {fact.now}
        </span>
        <span className={css['lookBefore']}>{` ${fact.before}`}</span>
      </Hint>
      <LinkButton
        href={hrefOf(traces)}
        aria-label={text.tracesOf(what === 'slow' ? text.slowTraces : text.failingTraces, name)}
      >
        {what === 'slow' ? text.slowTraces : text.failingTraces}
      </LinkButton>
    </li>
  );
}

export function Looks({ looks, range }: { looks: readonly Look[]; range: TimeRange }) {
  if (looks.length === 0) return null;
  return (
    <section aria-labelledby="home-looks" className={css['section']}>
      <h2 id="home-looks" className={css['heading']}>
        {text.needsALook}
      </h2>
      <ul className={css['looks']}>
        {looks.map((look) => (
          <LookRow key={`${look.service} ${look.operation} ${look.kind} ${look.what}`} look={look} range={range} />
        ))}
      </ul>
    </section>
  );
}
