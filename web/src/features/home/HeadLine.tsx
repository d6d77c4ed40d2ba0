// The numbers that say how it is: spans a second, services, errors, the store; and whether anything needs a look.

import { Check, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { HomeAnswer, StoreStatus } from '../../api/types.ts';
import { hrefOf } from '../../core/navigation.ts';
import { defaults } from '../../core/places.ts';
import { formatBytes, formatCount, formatPercent, formatRate } from '../../format/number.ts';
import { sumOf } from '../../model/red.ts';
import { daysLeft, fillOf } from '../../model/store.ts';
import { Stat } from '../../ui/Stat/Stat.tsx';
import css from './Home.module.css';
import { text } from './text.ts';

type HeadLineProps = {
  answer: HomeAnswer;
  store: StoreStatus | null;
  notReady: string | null;
  children: ReactNode;
};

/** Rare spans are told by the minute or the hour. */
function Rate({ perSecond }: { perSecond: number }) {
  const rate = formatRate(perSecond);
  const at = rate.lastIndexOf('/');
  return <Stat label={text.spans} value={rate.slice(0, at)} unit={rate.slice(at)} />;
}

function StoreStat({ store }: { store: StoreStatus }) {
  const fill = fillOf(store);
  const days = daysLeft(store);
  return (
    <a href={hrefOf(defaults.status())} className={css['statLink']}>
      <Stat
        label={text.store}
        value={fill === null ? formatBytes(store.bytes) : formatPercent(fill.share)}
        unit={fill === null ? undefined : days === null ? text.ofBytes(formatBytes(fill.most)) : text.daysLeft(days)}
        tone={fill?.tone}
      />
    </a>
  );
}

type VerdictProps = { looks: number; notReady: string | null; isSilent: boolean };

function Verdict({ looks, notReady, isSilent }: VerdictProps) {
  if (notReady !== null) {
    return (
      <a href={hrefOf(defaults.status())} className={css['verdict']} data-tone="error">
        <TriangleAlert aria-hidden size={16} />
        {text.notReady}
      </a>
    );
  }
  // Where nothing comes nothing is slow; whether that is good, nobody can say.
  if (looks > 0 || isSilent) {
    return (
      <p className={css['verdict']} data-tone="warn">
        <TriangleAlert aria-hidden size={16} />
        {looks > 0 ? text.looks(looks) : text.silent}
      </p>
    );
  }
  return (
    <p className={css['verdict']}>
      {text.allGood}
      <Check aria-hidden size={16} />
    </p>
  );
}

export function HeadLine({ answer, store, notReady, children }: HeadLineProps) {
  const { spans, errors } = sumOf(answer.services.series);
  const share = spans > 0 ? errors / spans : 0;
  return (
    <div className={css['headLine']}>
      <Rate perSecond={answer.spansPerSecond} />
      <Stat
        label={text.servicesCount(answer.services.series.length)}
        value={formatCount(answer.services.series.length)}
      />
      <Stat label={text.errors} value={formatPercent(share)} tone={share >= 0.01 ? 'error' : 'normal'} />
      {store && <StoreStat store={store} />}
      <div className={css['headEnd']}>
        <Verdict looks={answer.needsALook.length} notReady={notReady} isSilent={answer.services.series.length === 0} />
        {children}
      </div>
    </div>
  );
}
