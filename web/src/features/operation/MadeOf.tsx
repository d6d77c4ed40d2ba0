// What the time of an operation is made of, as far as the server knows: its own, and what of it is on critical paths,
// where a faster operation makes whole traces faster.

import type { RedSeries } from '../../api/types.ts';
import { formatPercent } from '../../format/number.ts';
import { MeterBar } from '../../ui/MeterBar/MeterBar.tsx';
import css from './Operation.module.css';
import { Section } from './Section.tsx';
import { text } from './text.ts';

function Share({ label, share, detail }: { label: string; share: number; detail: string }) {
  return (
    <div className={css['share']}>
      <dt>{label}</dt>
      <dd className={css['shareValue']}>
        <MeterBar label={label} value={share} max={1} valueText={formatPercent(share)} />
        <span className={css['percent']}>{formatPercent(share)}</span>
        <span className={css['quiet']}>{detail}</span>
      </dd>
    </div>
  );
}

export function MadeOf({ series, all, service }: { series: RedSeries; all: readonly RedSeries[]; service: string }) {
  const ownOfAll = all.reduce((sum, { ownNs }) => sum + ownNs, 0);
  const criticalOfAll = all.reduce((sum, { criticalNs }) => sum + criticalNs, 0);
  const { ownNs, criticalNs } = series;
  return (
    <Section id="operation-made-of" title={text.madeOf}>
      {ownOfAll === 0 && <p className={css['quiet']}>{text.notKnown}</p>}
      {ownOfAll > 0 && (
        <dl className={css['shares']}>
          <Share label={text.own} share={ownNs / ownOfAll} detail={text.ownDetail(service)} />
          {criticalOfAll > 0 && (
            <Share label={text.critical} share={criticalNs / criticalOfAll} detail={text.criticalDetail(service)} />
          )}
          {ownNs > 0 && (
            <Share label={text.matters} share={Math.min(1, criticalNs / ownNs)} detail={text.mattersDetail} />
          )}
        </dl>
      )}
    </Section>
  );
}
