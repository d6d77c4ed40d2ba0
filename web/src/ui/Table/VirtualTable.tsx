// The table for thousands of rows: only those in view, and the current one, are in the page. The box around it must
// have a height.

import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useState } from 'react';
import { Table, type TableProps } from './Table.tsx';
import type { BodyProps } from './tableTypes.ts';

// One cell: spanning all columns would bring back those that are left out on narrow screens.
function Gap({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden>
      <td style={{ blockSize: height, padding: 0 }} />
    </tr>
  );
}

function VirtualBody<Row>({ rows, currentIndex, scroller, renderRow, onEndReached }: BodyProps<Row>) {
  const [rowHeight, setRowHeight] = useState(24);
  useEffect(() => {
    const read =
      scroller.current && Number.parseFloat(getComputedStyle(scroller.current).getPropertyValue('--row-height'));
    if (read) setRowHeight(read);
  }, [scroller]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      if (currentIndex < 0 || shown.includes(currentIndex)) return shown;
      return [...shown, currentIndex].sort((a, b) => a - b);
    },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes are asked anew when the density changes
  useEffect(() => virtual.measure(), [rowHeight]);

  const items = virtual.getVirtualItems();
  const lastShown = virtual.range?.endIndex ?? -1;
  useEffect(() => {
    if (rows.length > 0 && lastShown >= rows.length - 10) onEndReached?.();
  }, [lastShown, rows.length, onEndReached]);

  let end = 0;
  const body = [];
  for (const item of items) {
    const row = rows[item.index];
    if (row === undefined) continue;
    if (item.start > end) body.push(<Gap key={`gap ${item.index}`} height={item.start - end} />);
    body.push(renderRow(row, item.index));
    end = item.end;
  }
  return (
    <tbody>
      {body}
      <Gap height={virtual.getTotalSize() - end} />
    </tbody>
  );
}

export function VirtualTable<Row>(props: TableProps<Row>) {
  return <Table {...props} Body={VirtualBody} />;
}
