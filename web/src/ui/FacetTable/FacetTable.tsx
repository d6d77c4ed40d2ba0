// The values that spans have in one field, with how many of them failed; each a way to its spans.

import type { Facet, FacetValue } from '../../api/types.ts';
import { formatCount, formatCountExact, formatPercent } from '../../format/number.ts';
import { EmptyState } from '../EmptyState/EmptyState.tsx';
import { Table, type TableColumn } from '../Table/Table.tsx';
import css from './FacetTable.module.css';
import { text } from './text.ts';

export type FacetTableProps = {
  title: string;
  /** 3 where the table stands in a section with a heading of its own. */
  level?: 2 | 3 | undefined;
  /** For screen readers: of what. */
  caption: string;
  /** Above the values, where the title is not their field. */
  field?: string | undefined;
  facet: Facet | undefined;
  /** Of the spans that were counted, when not all were. */
  share: number;
  /** When there are none. */
  none: string;
  hrefOf: (value: FacetValue) => string;
  onOpen: (value: FacetValue) => void;
};

function notesOf({ values, others, missing }: Facet, share: number): string[] {
  return [
    ...(others > 0 ? [text.otherValues(others)] : []),
    ...(missing > 0 && values.length > 0 ? [text.withoutValue(missing)] : []),
    ...(share < 1 ? [text.sampled(formatPercent(share))] : []),
  ];
}

export function FacetTable(props: FacetTableProps) {
  const { title, level = 2, caption, field = text.value, facet, share, none, hrefOf, onOpen } = props;
  const Heading = `h${level}` as const;
  const columns: TableColumn<FacetValue>[] = [
    {
      id: 'value',
      header: field,
      isRowHeader: true,
      isMono: true,
      cell: (value) => (
        <a className={css['value']} tabIndex={-1} href={hrefOf(value)} title={value.value}>
          {value.value === '' ? value.literal : value.value}
        </a>
      ),
    },
    {
      id: 'spans',
      header: text.spans,
      align: 'end',
      width: '88px',
      cell: ({ count }) => <span title={formatCountExact(count)}>{formatCount(count)}</span>,
    },
    {
      id: 'errors',
      header: text.errors,
      align: 'end',
      width: '88px',
      cell: ({ count, errors }) => (
        <span title={formatCountExact(errors)}>{formatPercent(errors / Math.max(1, count))}</span>
      ),
    },
  ];
  const notes = facet === undefined ? [] : notesOf(facet, share);
  return (
    <section aria-label={caption} className={css['section']}>
      <Heading className={css['heading']} title={title}>
        {title}
      </Heading>
      <Table
        caption={caption}
        columns={columns}
        rows={facet?.values ?? []}
        rowKey={({ literal }) => literal}
        onOpen={onOpen}
        empty={<EmptyState isSmall level={3} title={none} />}
      />
      {notes.map((note) => (
        <p key={note} className={css['note']}>
          {note}
        </p>
      ))}
    </section>
  );
}
