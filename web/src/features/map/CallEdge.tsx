// Calls on the map: a line as wide as they are frequent, dashed where nobody waits for an answer, with the measure on
// it.

import type { Edge, EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import type { Call } from './calls.ts';
import css from './Graph.module.css';
import { arrowOf, dashOf, type PlacedCall } from './geometry.ts';

/** About the width of a character of a label. */
const CHAR = 6.2;

type CallEdgeData = {
  readonly call: Call;
  readonly placed: PlacedCall;
  readonly shade: number;
  readonly width: number;
  /** Null: there is no room for it. */
  readonly label: string | null;
  readonly isSelected: boolean;
  readonly isQuiet: boolean;
  readonly isErrors: boolean;
};
export type CallFlowEdge = Edge<CallEdgeData, 'call'>;

export const CallEdge = memo(({ data }: EdgeProps<CallFlowEdge>) => {
  if (!data) return null;
  const { call, placed, shade, width, label, isSelected, isQuiet, isErrors } = data;
  const { path } = placed;
  const plate = (label?.length ?? 0) * CHAR + 6;
  return (
    <g
      className={css['call']}
      data-selected={isSelected || undefined}
      data-quiet={isQuiet || undefined}
      data-errors={isErrors || undefined}
      style={{ ['--shade' as string]: `${Math.round(shade * 100)}%` }}
    >
      <path className={css['hit']} d={path} />
      <path
        className={css['line']}
        d={path}
        strokeWidth={width}
        strokeDasharray={call.isAsync ? dashOf(width) : undefined}
      />
      <path className={css['arrow']} d={arrowOf(placed, width)} />
      {label !== null && (
        <>
          <rect
            className={css['plate']}
            x={placed.label.x - plate / 2}
            y={placed.label.y - 8}
            width={plate}
            height={16}
            rx={2}
          />
          <text className={css['label']} x={placed.label.x} y={placed.label.y + 4} textAnchor="middle">
            {label}
          </text>
        </>
      )}
    </g>
  );
});
