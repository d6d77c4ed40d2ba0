// Calls on the map: a line as wide as they are frequent, dashed where nobody waits for an answer, with its numbers
// above and below it.

import type { Edge, EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import type { Call } from './calls.ts';
import css from './Graph.module.css';
import { arrowOf, dashOf, LABEL_LINES, type PlacedCall } from './geometry.ts';
import type { CallLabel } from './scale.ts';

/** About the width of a character of a label. */
const CHAR = 6.2;

type CallEdgeData = {
  readonly call: Call;
  readonly placed: PlacedCall;
  readonly shade: number;
  readonly width: number;
  /** Null: there is no room for it. */
  readonly label: CallLabel | null;
  readonly isSelected: boolean;
  readonly isQuiet: boolean;
  readonly isErrors: boolean;
};
export type CallFlowEdge = Edge<CallEdgeData, 'call'>;

export const CallEdge = memo(({ data }: EdgeProps<CallFlowEdge>) => {
  if (!data) return null;
  const { call, placed, shade, width, label, isSelected, isQuiet, isErrors } = data;
  const { path } = placed;
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
      {label !== null &&
        LABEL_LINES.map(({ place, plate, text }) => {
          const width = label[place].length * CHAR + 4;
          const { x, y } = placed.label;
          return (
            <g key={place}>
              <rect className={css['plate']} x={x - width / 2} y={y + plate} width={width} height={13} rx={2} />
              <text
                className={css['label']}
                data-main={label.main === place || undefined}
                x={x}
                y={y + text}
                textAnchor="middle"
              >
                {label[place]}
              </text>
            </g>
          );
        })}
    </g>
  );
});
