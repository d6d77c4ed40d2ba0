// What trace this is: its root, how long it took, of how many spans, when, its id.

import { ArrowLeft } from 'lucide-react';
import { Suspense } from 'react';
import { boot } from '../../../core/boot.ts';
import { go, hrefOf, lastLeft } from '../../../core/navigation.ts';
import { defaults } from '../../../core/places.ts';
import { formatDuration, formatExactNs } from '../../../format/duration.ts';
import { cssColourOf, isHatched } from '../../../theme/palette.ts';
import { CopyButton } from '../../../ui/CopyButton/CopyButton.tsx';
import { PageTitle } from '../../../ui/PageTitle/PageTitle.tsx';
import { ServiceName } from '../../../ui/ServiceName/ServiceName.tsx';
import { Hint } from '../../../ui/Tooltip/Tooltip.tsx';
import { HeaderMenu, StartFact, ViewTabs, Warnings } from '../lazies.ts';
import { useTracePage } from '../state/page.tsx';
import { text as pageText } from '../text.ts';
import css from './Header.module.css';
import { text } from './text.ts';

export function Header() {
  const { session, embed, state } = useTracePage();
  const { columns, facts, slots } = session;
  const slot = slots[columns.service[0] ?? 0] ?? -1;
  const title = pageText.title(facts.rootService, facts.rootName);
  return (
    <header className={css['header']} data-collapsed={embed.collapseTitle || undefined}>
      <div className={css['line']}>
        {embed.mode === 'off' && <BackLink />}
        <PageTitle title={title} routeKey={`trace ${state.traceId}`}>
          <ServiceName
            name={facts.rootService}
            operation={facts.rootName}
            color={cssColourOf(slot)}
            isHatched={isHatched(slot)}
          />
        </PageTitle>
        {!embed.hideSummary && <Facts />}
        <div className={css['end']}>
          <Suspense>
            <HeaderMenu />
          </Suspense>
        </div>
      </div>
      {!embed.collapseTitle && (
        <div className={css['line']}>
          <span className={css['id']} title={columns.traceId}>
            {columns.traceId.slice(0, boot.traceIdDigits ?? undefined)}
          </span>
          <CopyButton value={columns.traceId} label={text.copyId} />
          <Suspense>
            <Warnings />
          </Suspense>
          <div className={css['end']}>
            <Suspense>
              <ViewTabs />
            </Suspense>
          </div>
        </div>
      )}
    </header>
  );
}

/** To the search that one came from, as it was. */
function BackLink() {
  const search = lastLeft('search');
  return (
    <a
      className={css['back']}
      href={hrefOf(search ?? defaults.search())}
      aria-label={text.back}
      onClick={(event) => {
        if (search === null || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(search, { asBefore: true });
      }}
    >
      <ArrowLeft aria-hidden size={16} />
    </a>
  );
}

function Facts() {
  const { session } = useTracePage();
  const { columns, facts } = session;
  return (
    <ul className={css['facts']} aria-label={text.facts}>
      <li className={css['duration']}>
        <Hint text={formatExactNs(columns.durationNs)}>{formatDuration(columns.durationNs)}</Hint>
      </li>
      <li>{text.spans(facts.spans)}</li>
      <li>{text.services(facts.services.length)}</li>
      {facts.errors > 0 ? (
        <li className={css['errors']}>
          <span aria-hidden className={css['dot']} />
          {text.errors(facts.errors)}
        </li>
      ) : (
        <li>{text.noErrors}</li>
      )}
      <Suspense>
        <StartFact />
      </Suspense>
    </ul>
  );
}
