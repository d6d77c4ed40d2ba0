// The times of a span: from the rows, so that they are there at once.

import { formatDuration, formatExactNs } from '../../../format/duration.ts';
import { formatPercent } from '../../../format/number.ts';
import type { RowIndex } from '../../../model/columns.ts';
import { KINDS, STATUSES } from '../../../model/stats.ts';
import { Hint } from '../../../ui/Tooltip/Tooltip.tsx';
import { useTracePage } from '../state/page.tsx';
import { TimeTip } from '../TimeTip.tsx';
import css from './Details.module.css';
import { text } from './text.ts';

export function Timing({ row }: { row: RowIndex }) {
  const { session } = useTracePage();
  const { columns } = session;
  const dur = columns.dur[row] as number;
  const start = columns.start[row] as number;
  const self = columns.self[row] as number;
  const at = columns.startNs + BigInt(Math.round(start));
  const end = columns.startNs + BigInt(Math.round(start + dur));
  const critical = session.critical.time(row, row + 1);
  const share = columns.durationNs > 0 ? dur / columns.durationNs : 0;
  const kind = KINDS[columns.kind[row] as number] ?? 'unspecified';
  const status = STATUSES[columns.status[row] as number] ?? 'unset';
  return (
    <dl className={css['facts']}>
      <div>
        <dt>{text.duration}</dt>
        <dd>
          <Hint text={formatExactNs(dur)}>
            <strong>{formatDuration(dur)}</strong>
          </Hint>
          <span className={css['quiet']}>{text.ofTrace(formatPercent(share))}</span>
        </dd>
      </div>
      <div>
        <dt>{text.self}</dt>
        <dd>
          <Hint text={formatExactNs(self)}>{formatDuration(self)}</Hint>
        </dd>
      </div>
      <div>
        <dt>{text.start}</dt>
        <dd>
          <Hint text={<TimeTip ns={at} />}>{formatDuration(start)}</Hint>
        </dd>
      </div>
      <div>
        <dt>{text.end}</dt>
        <dd>
          <Hint text={<TimeTip ns={end} />}>{formatDuration(start + dur)}</Hint>
        </dd>
      </div>
      {critical > 0 && (
        <div>
          <dt>{text.critical}</dt>
          <dd>{formatDuration(critical)}</dd>
        </div>
      )}
      <div>
        <dt>{text.kind}</dt>
        <dd>{kind}</dd>
      </div>
      <div>
        <dt>{text.status}</dt>
        <dd data-tone={status === 'error' ? 'error' : undefined}>{status}</dd>
      </div>
    </dl>
  );
}
