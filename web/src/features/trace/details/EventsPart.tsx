// Events and links of a span.

import { ExternalLink } from 'lucide-react';
import type { SpanDetails, SpanEvent, SpanLink } from '../../../api/types.ts';
import { go, hrefOf } from '../../../core/navigation.ts';
import { placeOfTrace } from '../../../core/places.ts';
import { formatDuration } from '../../../format/duration.ts';
import { Button } from '../../../ui/Button/Button.tsx';
import { useTracePage } from '../state/page.tsx';
import { Values } from './Attributes.tsx';
import css from './Details.module.css';
import { Section } from './Section.tsx';
import { text } from './text.ts';

export function EventsPart({ details }: { details: SpanDetails }) {
  const { session } = useTracePage();
  const { events, droppedEvents } = details;
  if (events.length === 0 && droppedEvents === 0) return null;
  const atOf = (event: SpanEvent) => Number(BigInt(event.timeNs) - session.columns.startNs);
  return (
    <Section title={text.events} count={events.length}>
      <ol>
        {events.map((event, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: events have no other name
          <li key={i} className={css['event']}>
            <div className={css['eventHead']}>
              <span className={css['eventTime']}>{formatDuration(atOf(event))}</span>
              <span className={css['eventName']}>{event.name}</span>
            </div>
            <EventValues event={event} details={details} />
          </li>
        ))}
      </ol>
      {droppedEvents > 0 && <p className={css['note']}>{text.dropped(droppedEvents)}</p>}
    </Section>
  );
}

/** What stands above as the error is not told again. */
const TOLD = ['exception.type', 'exception.message', 'exception.stacktrace'];

function EventValues({ event, details }: { event: SpanEvent; details: SpanDetails }) {
  const attributes =
    event.name === 'exception' ? event.attributes.filter(({ key }) => !TOLD.includes(key)) : event.attributes;
  if (attributes.length === 0) return null;
  return <Values caption={event.name} attributes={attributes} scope="event" details={details} />;
}

export function LinksPart({ details }: { details: SpanDetails }) {
  const { links, droppedLinks } = details;
  if (links.length === 0 && droppedLinks === 0) return null;
  return (
    <Section title={text.links} count={links.length}>
      <ul>
        {links.map((link, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a link can be there twice
          <li key={i} className={css['event']}>
            <LinkLine link={link} />
            {link.attributes.length > 0 && (
              <Values caption={text.links} attributes={link.attributes} scope="link" details={details} />
            )}
          </li>
        ))}
      </ul>
      {droppedLinks > 0 && <p className={css['note']}>{text.dropped(droppedLinks)}</p>}
    </Section>
  );
}

function LinkLine({ link }: { link: SpanLink }) {
  const { session, select } = useTracePage();
  const row = link.traceId === session.columns.traceId ? session.rowOf(link.spanId) : -1;
  const label = text.linkTo(link.traceId, link.spanId);
  return (
    <div className={css['eventHead']}>
      <span className={css['mono']} title={label}>{`${link.traceId.slice(0, 8)}… ${link.spanId}`}</span>
      <span className={css['push']} />
      {row >= 0 ? (
        <Button size="small" onPress={() => select(row, { reveal: true })}>
          {text.goToSpan}
        </Button>
      ) : (
        <a
          className={css['linkTo']}
          href={hrefOf(placeOfTrace(link.traceId, link.spanId))}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            go(placeOfTrace(link.traceId, link.spanId));
          }}
        >
          {text.openTrace}
          <ExternalLink aria-hidden size={12} />
        </a>
      )}
    </div>
  );
}
