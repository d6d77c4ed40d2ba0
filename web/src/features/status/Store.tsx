// What the store holds, how full it is, and what it promises.

import type { StoreStatus } from '../../api/types.ts';
import { formatBytes, formatCount, formatCountExact, formatPercent } from '../../format/number.ts';
import { MeterBar } from '../../ui/MeterBar/MeterBar.tsx';
import css from './Status.module.css';
import { text } from './text.ts';

function Fill({ bytes, bytesMax, diskFreeBytes }: StoreStatus) {
  // Without a limit of its own the disk is the limit.
  const most = bytesMax ?? (diskFreeBytes === null ? null : bytes + diskFreeBytes);
  if (most === null) return <p>{text.storeBytes(formatBytes(bytes))}</p>;
  const share = most > 0 ? bytes / most : 0;
  const words = text.storeFill(formatBytes(bytes), formatBytes(most), formatPercent(share));
  return (
    <div className={css['fill']}>
      <MeterBar
        label={text.storeTitle}
        value={bytes}
        max={most}
        valueText={words}
        tone={share >= 0.95 ? 'error' : share >= 0.85 ? 'warn' : 'accent'}
      />
      <p>
        {words}
        {bytesMax === null && <span className={css['quiet']}>{` ${text.noLimit}`}</span>}
      </p>
    </div>
  );
}

export function Store({ store }: { store: StoreStatus }) {
  const facts: [name: string, value: string, title?: string][] = [
    [text.spans, formatCount(store.spans), formatCountExact(store.spans)],
    [text.traces, formatCount(store.traces), formatCountExact(store.traces)],
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
      <Fill {...store} />
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
