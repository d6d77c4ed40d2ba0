// The events of all spans in the order in which they happened: the trace as a log.

import { List } from 'lucide-react';
import { useMemo, useState } from 'react';
import { ApiError, curlOf, urlOf } from '../../../api/client.ts';
import type { TraceEvent } from '../../../api/types.ts';
import { usePreferences } from '../../../core/preferences.ts';
import { formatDuration } from '../../../format/duration.ts';
import { nowNs } from '../../../format/now.ts';
import { clockTime, timeTooltip, zoneLabel } from '../../../format/time.ts';
import { cssColourOf, isHatched } from '../../../theme/palette.ts';
import { Banner } from '../../../ui/Banner/Banner.tsx';
import { EmptyState } from '../../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../../ui/ErrorBox/ErrorBox.tsx';
import { SearchField } from '../../../ui/SearchField/SearchField.tsx';
import { ServiceName } from '../../../ui/ServiceName/ServiceName.tsx';
import { Skeleton } from '../../../ui/Skeleton/Skeleton.tsx';
import type { TableColumn } from '../../../ui/Table/tableTypes.ts';
import { VirtualTable } from '../../../ui/Table/VirtualTable.tsx';
import { textOfValue } from '../details/values.ts';
import { update, useTracePage } from '../state/page.tsx';
import { useShownBits } from '../state/useShownBits.ts';
import { nameOf, serviceOf } from '../waterfall/rowText.ts';
import css from './EventsView.module.css';
import { text } from './text.ts';

type Line = { readonly id: string; readonly event: TraceEvent; readonly said: string };

/** Stack traces are for the details. */
const SAID_CHARS_MAX = 300;

function saidOf({ event }: TraceEvent): string {
  const said = event.attributes
    .filter(({ key }) => key !== 'exception.stacktrace')
    .map(({ key, value }) => `${key}=${textOfValue(value)}`)
    .join('  ');
  return said.length > SAID_CHARS_MAX ? `${said.slice(0, SAID_CHARS_MAX)}…` : said;
}

export function EventsView() {
  const { session, selection, select, events, state } = useTracePage();
  const { answer, error, isLoading, retry } = events;
  const { columns, slots } = session;
  const { zone } = usePreferences();
  const bits = useShownBits();
  const wanted = state.events;
  const [current, setCurrent] = useState<string | null>(null);
  const all = useMemo(
    () => (answer?.events ?? []).map((event, i): Line => ({ id: String(i), event, said: saidOf(event) })),
    [answer],
  );
  const lines = useMemo(() => {
    const lower = wanted.trim().toLowerCase();
    return all.filter(
      ({ event, said }) =>
        (bits === null || bits.has(event.row)) &&
        (event.event.name.toLowerCase().includes(lower) || said.toLowerCase().includes(lower)),
    );
  }, [all, wanted, bits]);

  const shown: TableColumn<Line>[] = [
    {
      id: 'time',
      header: text.time(zoneLabel(columns.startNs, zone)),
      width: '176px',
      cell: ({ event }) => {
        const at = BigInt(event.event.timeNs);
        const { local, utc, relative } = timeTooltip(at, nowNs(), zone);
        return (
          <span className={css['time']} title={`${local}\n${utc}\n${relative}`}>
            <span>{clockTime(at, zone, 6)}</span>
            <span className={css['quiet']}>{formatDuration(Number(at - columns.startNs))}</span>
          </span>
        );
      },
    },
    {
      id: 'span',
      header: text.span,
      width: '240px',
      isWideOnly: true,
      cell: ({ event }) => {
        const slot = slots[columns.service[event.row] as number] ?? -1;
        return (
          <ServiceName
            name={serviceOf(session, event.row)}
            operation={nameOf(session, event.row)}
            color={cssColourOf(slot)}
            isHatched={isHatched(slot)}
          />
        );
      },
    },
    {
      id: 'event',
      header: text.event,
      width: '144px',
      isRowHeader: true,
      cell: ({ event }) => (
        <span className={event.event.name === 'exception' ? css['error'] : undefined}>{event.event.name}</span>
      ),
    },
    { id: 'attributes', header: text.attributes, isMono: true, cell: ({ said }) => <span title={said}>{said}</span> },
  ];
  if (error !== null) {
    return (
      <ErrorBox
        isPage
        title={text.failed}
        message={error.message}
        hint={error instanceof ApiError ? error.hint : null}
        isRetrying={isLoading}
        onRetry={retry}
        curl={curlOf(urlOf(`traces/${columns.traceId}/events`))}
      />
    );
  }
  if (answer === null) return <Skeleton rows={12} columns="176px 240px 180px 1fr" label={text.loading} />;
  if (all.length === 0) {
    return (
      <EmptyState icon={List} title={text.none}>
        {text.noneWhy}
      </EmptyState>
    );
  }
  return (
    <div className={css['events']}>
      <div className={css['tools']}>
        <SearchField
          label={text.filter}
          value={wanted}
          onChange={(filter) => update({ events: filter })}
          className={css['filter']}
        />
        <span className={css['quiet']}>{text.count(lines.length, all.length)}</span>
      </div>
      {!answer.isAll && <Banner tone="warn">{text.notAll}</Banner>}
      {answer.skipped.map(({ what, why }) => (
        <Banner key={what} tone="warn">
          {text.skipped(`${what}: ${why}`)}
        </Banner>
      ))}
      <VirtualTable
        className={css['table']}
        caption={text.caption}
        columns={shown}
        rows={lines}
        rowKey={({ id }) => id}
        totalRows={lines.length}
        current={current ?? firstOf(lines, selection.row)}
        onCurrentChange={(id) => {
          setCurrent(id);
          const line = all[Number(id)];
          if (line) select(line.event.row);
        }}
        empty={<EmptyState isSmall title={text.noMatch} />}
      />
    </div>
  );
}

/** A span that was selected elsewhere is where one starts. */
function firstOf(lines: readonly Line[], row: number): string | null {
  return lines.find(({ event }) => event.row === row)?.id ?? null;
}
