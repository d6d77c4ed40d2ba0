// The doors for spans: where they listen, how much comes, and when the last request was taken.

import type { ReceiverStatus } from '../../api/types.ts';
import { formatBytes, formatCount, formatRate, NO_VALUE } from '../../format/number.ts';
import { relativeTime } from '../../format/time.ts';
import { Table, type TableColumn } from '../../ui/Table/Table.tsx';
import type { DoorRate } from './rates.ts';
import css from './Status.module.css';
import { text } from './text.ts';

/** A door through which nothing came for this long is quiet. */
const QUIET_NS = 60_000_000_000n;

type ReceiversProps = {
  receivers: readonly ReceiverStatus[];
  rates: ReadonlyMap<string, DoorRate> | null;
  nowNs: bigint;
};

function State({ door, nowNs }: { door: ReceiverStatus; nowNs: bigint }) {
  const isOff = door.addresses.length === 0;
  const isQuiet = door.lastNs === null || nowNs - BigInt(door.lastNs) > QUIET_NS;
  const state = isOff ? 'off' : isQuiet ? 'quiet' : 'on';
  return (
    <span className={css['doorState']}>
      <span aria-hidden className={css['doorDot']} data-state={state} />
      {text.protocols(door.protocol)}
    </span>
  );
}

export function Receivers({ receivers, rates, nowNs }: ReceiversProps) {
  const rate = (door: ReceiverStatus, format: (rate: DoorRate) => string) => {
    const found = rates?.get(door.protocol);
    return found ? format(found) : NO_VALUE;
  };
  const number = { align: 'end', width: '96px' } as const;
  const columns: TableColumn<ReceiverStatus>[] = [
    {
      id: 'door',
      header: text.door,
      isRowHeader: true,
      width: '144px',
      cell: (door) => <State door={door} nowNs={nowNs} />,
    },
    {
      id: 'address',
      header: text.address,
      isMono: true,
      isWideOnly: true,
      cell: ({ addresses }) => (addresses.length === 0 ? text.off : addresses.join(', ')),
    },
    { ...number, id: 'rate', header: text.spansPerSecond, cell: (door) => rate(door, (r) => formatRate(r.spans)) },
    {
      ...number,
      id: 'bytes',
      header: text.volume,
      isWideOnly: true,
      cell: (door) => rate(door, (r) => text.perSecond(formatBytes(r.bytes))),
    },
    { ...number, id: 'requests', header: text.requests, isWideOnly: true, cell: (d) => formatCount(d.requests) },
    { ...number, id: 'spans', header: text.spans, isWideOnly: true, cell: (d) => formatCount(d.spans) },
    {
      ...number,
      id: 'last',
      header: text.last,
      cell: ({ lastNs }) => (lastNs === null ? text.never : relativeTime(BigInt(lastNs), nowNs)),
    },
  ];
  return (
    <section aria-labelledby="status-receivers" className={css['section']}>
      <h2 id="status-receivers" className={css['heading']}>
        {text.receiving}
      </h2>
      <Table caption={text.receiving} columns={columns} rows={receivers} rowKey={({ protocol }) => protocol} />
    </section>
  );
}
