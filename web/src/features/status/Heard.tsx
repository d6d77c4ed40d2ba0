// When each service was last heard of. Those that are silent stand first, the longest on top: one that should send and
// does not is seen at once. The others stand by name, so that they do not move at every look.

import type { ServiceStatus } from '../../api/types.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { placeOfService } from '../../core/places.ts';
import { formatCount } from '../../format/number.ts';
import { relativeTime } from '../../format/time.ts';
import { serviceColour } from '../../theme/palette.ts';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import { Table, type TableColumn } from '../../ui/Table/Table.tsx';
import css from './Status.module.css';
import { text } from './text.ts';

const SILENT_NS = 300_000_000_000n;

function bySilence(services: readonly ServiceStatus[], nowNs: bigint): ServiceStatus[] {
  const silence = ({ lastNs }: ServiceStatus) => {
    const ns = nowNs - BigInt(lastNs);
    return ns > SILENT_NS ? ns : 0n;
  };
  return [...services].sort((a, b) => {
    const [first, second] = [silence(a), silence(b)];
    return first > second ? -1 : first < second ? 1 : a.service.localeCompare(b.service);
  });
}

export function Heard({ services, nowNs }: { services: readonly ServiceStatus[]; nowNs: bigint }) {
  const columns: TableColumn<ServiceStatus>[] = [
    {
      id: 'service',
      header: text.service,
      isRowHeader: true,
      cell: ({ service }) => (
        <a href={hrefOf(placeOfService(service))} tabIndex={-1} className={css['service']} title={service}>
          <ServiceDot color={serviceColour(service)} />
          <span className={css['cut']}>{service}</span>
        </a>
      ),
    },
    {
      id: 'operations',
      header: text.operations,
      align: 'end',
      width: '96px',
      cell: ({ operations }) => formatCount(operations),
    },
    {
      id: 'last',
      header: text.lastHeard,
      align: 'end',
      width: '120px',
      cell: ({ lastNs }) => (
        <span data-silent={nowNs - BigInt(lastNs) > SILENT_NS || undefined} className={css['heard']}>
          {relativeTime(BigInt(lastNs), nowNs)}
        </span>
      ),
    },
  ];
  return (
    <section aria-labelledby="status-heard" className={css['section']}>
      <h2 id="status-heard" className={css['heading']}>
        {text.heard}
      </h2>
      <Table
        caption={text.heard}
        columns={columns}
        rows={bySilence(services, nowNs)}
        rowKey={({ service }) => service}
        onOpen={({ service }) => go(placeOfService(service))}
        empty={<EmptyState isSmall level={3} title={text.nobody} />}
        className={css['heardTable']}
      />
    </section>
  );
}
