// What the store holds, how full it is, and what it promises.

import type { StoreStatus } from '../../api/types.ts';
import { usePreferences } from '../../core/preferences.ts';
import { formatDuration } from '../../format/duration.ts';
import { formatBytes, formatCount, formatCountExact, formatPercent, NO_VALUE } from '../../format/number.ts';
import { dateTime, relativeTime } from '../../format/time.ts';
import { daysLeft, fillOf } from '../../model/store.ts';
import { MeterBar } from '../../ui/MeterBar/MeterBar.tsx';
import css from './Status.module.css';
import { text } from './text.ts';

/** How long there is room for, and how that is known. */
function Room({ store }: { store: StoreStatus }) {
  const { growth, bytesMax } = store;
  if (growth === null) return <p className={css['quiet']}>{text.growthUnknown}</p>;
  const days = daysLeft(store);
  const added = text.growth(formatBytes(growth.bytes), formatDuration(growth.overSeconds * 1e9));
  if (days === null)
    return <p className={css['quiet']}>{growth.fullInSeconds === null ? text.ageFirst(added) : added}</p>;
  return (
    <p>
      {bytesMax === null ? text.fullIn(days) : text.oldestLeaveIn(days)}
      <span className={css['quiet']}>{` ${text.estimated(added)}`}</span>
    </p>
  );
}

function Fill({ store }: { store: StoreStatus }) {
  const { bytes, bytesMax } = store;
  const fill = fillOf(store);
  if (fill === null) return <p>{text.storeBytes(formatBytes(bytes))}</p>;
  const words = text.storeFill(formatBytes(bytes), formatBytes(fill.most), formatPercent(fill.share));
  return (
    <div className={css['fill']}>
      <MeterBar
        label={text.storeTitle}
        value={bytes}
        max={fill.most}
        valueText={words}
        tone={fill.tone === 'normal' ? 'accent' : fill.tone}
      />
      <p>
        {words}
        {bytesMax === null && <span className={css['quiet']}>{` ${text.noLimit}`}</span>}
      </p>
      <Room store={store} />
    </div>
  );
}

type StoreProps = {
  store: StoreStatus;
  /** Bytes a second; null until there are two answers. */
  writes: number | null;
  nowNs: bigint;
};

export function Store({ store, writes, nowNs }: StoreProps) {
  const { zone } = usePreferences();
  const oldest = store.oldestNs === null ? null : BigInt(store.oldestNs);
  const facts: [name: string, value: string, title?: string | undefined][] = [
    [text.spans, formatCount(store.spans), formatCountExact(store.spans)],
    [text.traces, formatCount(store.traces), formatCountExact(store.traces)],
    [
      text.oldest,
      oldest === null ? NO_VALUE : relativeTime(oldest, nowNs),
      oldest === null ? undefined : dateTime(oldest, zone, 0),
    ],
    [text.writes, writes === null ? NO_VALUE : text.perSecond(formatBytes(writes)), text.writesHint],
    [text.merging, store.isMerging ? text.mergingNow : text.mergingIdle],
    [text.segments, text.segmentCount(store.segments, store.waitingSegments)],
    [text.pinned, formatCount(store.pinned)],
    [text.diskFree, store.diskFreeBytes === null ? text.unknown : formatBytes(store.diskFreeBytes)],
    [text.retention, store.retention],
    [text.acknowledge, text.acknowledgeWords(store.acknowledge)],
  ];
  return (
    <section aria-labelledby="status-store" className={css['section']}>
      <h2 id="status-store" className={css['heading']}>
        {text.storeTitle}
      </h2>
      <Fill store={store} />
      <dl className={css['facts']}>
        {facts.map(([name, value, title]) => (
          <div key={name} className={css['fact']}>
            <dt>{name}</dt>
            <dd title={title}>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
