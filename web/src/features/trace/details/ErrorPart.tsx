// Why a span failed, before all else: the message of its status, and its exceptions with their stack traces.

import type { SpanDetails, SpanEvent } from '../../../api/types.ts';
import css from './Details.module.css';
import { StackTrace } from './StackTrace.tsx';
import { text } from './text.ts';
import { textOfValue } from './values.ts';

function textIn(event: SpanEvent, key: string): string {
  const found = event.attributes.find((attribute) => attribute.key === key);
  return found === undefined ? '' : textOfValue(found.value);
}

/** Exceptions as events, or as attributes of the span, as some senders have them. */
function exceptionsOf(details: SpanDetails): SpanEvent[] {
  const asEvents = details.events.filter(({ name }) => name === 'exception');
  if (asEvents.length > 0 || !details.attributes.some(({ key }) => key.startsWith('exception.'))) return asEvents;
  const { attributes, startNs: timeNs } = details;
  return [{ timeNs, name: 'exception', attributes, droppedAttributes: 0 }];
}

export function ErrorPart({ details }: { details: SpanDetails }) {
  const exceptions = exceptionsOf(details);
  if (details.status !== 'error' && exceptions.length === 0) return null;
  const message = details.statusMessage || (exceptions.length === 0 ? text.failedNoMessage : '');
  return (
    <section aria-label={text.error} className={css['errorPart']}>
      {message !== '' && (
        <p className={css['errorMessage']}>
          <strong>{text.error}</strong> {message}
        </p>
      )}
      {exceptions.map((event, i) => {
        const stack = textIn(event, 'exception.stacktrace');
        const type = textIn(event, 'exception.type') || text.exception;
        const why = textIn(event, 'exception.message');
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: events have no other name
          <div key={i}>
            <p className={css['errorMessage']}>
              <strong className={css['mono']}>{type}</strong> {why !== message && why}
            </p>
            {stack !== '' && <StackTrace stack={stack} />}
          </div>
        );
      })}
    </section>
  );
}
