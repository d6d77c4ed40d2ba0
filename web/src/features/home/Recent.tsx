// Traces that the reader opened lately.

import { hrefOf } from '../../core/navigation.ts';
import { placeOfTrace } from '../../core/places.ts';
import css from './Home.module.css';
import { text } from './text.ts';

const SHOWN = 8;

export function Recent({ traces }: { traces: readonly { traceId: string; title: string }[] }) {
  if (traces.length === 0) return null;
  return (
    <section aria-labelledby="home-recent" className={css['section']}>
      <h2 id="home-recent" className={css['heading']}>
        {text.recent}
      </h2>
      <ul className={css['recent']}>
        {traces.slice(0, SHOWN).map(({ traceId, title }) => (
          <li key={traceId} className={css['recentItem']}>
            <a href={hrefOf(placeOfTrace(traceId))} className={css['recentLink']} title={title}>
              {title}
            </a>
            <code className={css['recentId']}>{traceId.slice(0, 8)}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}
