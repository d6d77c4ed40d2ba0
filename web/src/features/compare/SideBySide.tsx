// Both traces as they were, on one scale of time. What is chosen in one is shown in the other.

import type { TraceColumns } from '../../model/columns.ts';
import type { TraceDiff } from '../../model/diff.ts';
import { MiniWaterfall } from './MiniWaterfall.tsx';
import type { Slots } from './names.ts';
import { nodeOfRow } from './nodeOfRow.ts';
import css from './SideBySide.module.css';

export type SideBySideProps = {
  diff: TraceDiff;
  a: TraceColumns;
  b: TraceColumns;
  slots: Slots;
  find: string;
  node: number | null;
  onNode: (node: number) => void;
};

export function SideBySide({ diff, a, b, slots, find, node, onNode }: SideBySideProps) {
  const windowNs = Math.max(a.durationNs, b.durationNs);
  const shared = { slots, windowNs, find };
  return (
    <div className={css['pair']}>
      <MiniWaterfall
        {...shared}
        side="a"
        trace={a}
        row={node === null ? -1 : (diff.rowA[node] ?? -1)}
        onRow={(row) => onNode(nodeOfRow(diff, a, 'a', row))}
      />
      <MiniWaterfall
        {...shared}
        side="b"
        trace={b}
        row={node === null ? -1 : (diff.rowB[node] ?? -1)}
        onRow={(row) => onNode(nodeOfRow(diff, b, 'b', row))}
      />
    </div>
  );
}
