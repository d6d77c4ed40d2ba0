// What was refused, by reason, and the last refusal in the words that its sender got.

import type { LastRefusal, RefusedStatus } from '../../api/types.ts';
import { usePreferences } from '../../core/preferences.ts';
import { formatCount } from '../../format/number.ts';
import { clockTime, relativeTime } from '../../format/time.ts';
import { CopyButton } from '../../ui/CopyButton/CopyButton.tsx';
import { Table, type TableColumn } from '../../ui/Table/Table.tsx';
import css from './Status.module.css';
import { text } from './text.ts';

type RefusedProps = { refused: readonly RefusedStatus[]; last: LastRefusal | null; nowNs: bigint };

function Last({ last, nowNs }: { last: LastRefusal; nowNs: bigint }) {
  const { zone } = usePreferences();
  const time = BigInt(last.timeNs);
  return (
    <div className={css['lastRefusal']}>
      <p className={css['quiet']}>
        {text.lastRefusal(
          text.protocols(last.protocol),
          clockTime(time, zone, 0),
          relativeTime(time, nowNs),
          last.peer,
        )}
      </p>
      <div className={css['message']}>
        <code>{last.message}</code>
        <CopyButton value={last.message} label={text.copyMessage} />
      </div>
    </div>
  );
}

export function Refused({ refused, last, nowNs }: RefusedProps) {
  const number = { align: 'end', width: '96px' } as const;
  const columns: TableColumn<RefusedStatus>[] = [
    { id: 'reason', header: text.reason, isRowHeader: true, isMono: true, cell: ({ reason }) => reason },
    { id: 'door', header: text.door, width: '104px', cell: ({ protocol }) => text.protocols(protocol) },
    { ...number, id: 'requests', header: text.requests, cell: ({ requests }) => formatCount(requests) },
    { ...number, id: 'spans', header: text.spansRead, isWideOnly: true, cell: ({ spans }) => formatCount(spans) },
  ];
  return (
    <section aria-labelledby="status-refused" className={css['section']}>
      <h2 id="status-refused" className={css['heading']}>
        {text.refusedTitle}
      </h2>
      {refused.length === 0 && !last && <p className={css['quiet']}>{text.nothingRefused}</p>}
      {last && <Last last={last} nowNs={nowNs} />}
      {refused.length > 0 && (
        <Table
          caption={text.refusedTitle}
          columns={columns}
          rows={refused}
          rowKey={({ protocol, reason }) => `${protocol} ${reason}`}
        />
      )}
    </section>
  );
}
