// A service on the map: its name, its three numbers, a shade for the measure, a ring for errors.

import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { memo } from 'react';
import { formatDuration } from '../../format/duration.ts';
import { formatPercent, formatRate } from '../../format/number.ts';
import { serviceColour } from '../../theme/palette.ts';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import { VisuallyHidden } from '../../ui/VisuallyHidden/VisuallyHidden.tsx';
import { errorShare, type Service } from './calls.ts';
import css from './Graph.module.css';
import { type Metric, RING_FROM } from './scale.ts';
import { text } from './text.ts';

type ServiceNodeData = {
  readonly service: Service;
  readonly metric: Metric;
  readonly shade: number;
  readonly isTabStop: boolean;
  readonly isSelected: boolean;
  readonly isFocus: boolean;
  /** Null: nobody looks for a text. */
  readonly isFound: boolean | null;
  readonly isQuiet: boolean;
};
export type ServiceFlowNode = Node<ServiceNodeData, 'service'>;

export const ServiceNode = memo(({ data }: NodeProps<ServiceFlowNode>) => {
  const { service, metric, shade, isTabStop, isSelected, isFocus, isFound, isQuiet } = data;
  const { name, total, rate } = service;
  const share = errorShare(total);
  const errors = total === null ? '–' : formatPercent(share);
  const p95 = total === null ? '–' : formatDuration(total.p95);
  return (
    <>
      <Handle type="target" position={Position.Left} className={css['handle']} isConnectable={false} />
      <button
        type="button"
        className={css['node']}
        tabIndex={isTabStop ? 0 : -1}
        data-service={name}
        data-selected={isSelected || undefined}
        data-focus={isFocus || undefined}
        data-ring={share >= RING_FROM || undefined}
        data-found={isFound ?? undefined}
        data-quiet={isQuiet || undefined}
        data-metric={metric}
        aria-pressed={isSelected}
        title={name}
        style={{ ['--shade' as string]: `${Math.round(shade * 100)}%` }}
      >
        <span className={css['name']}>
          <ServiceDot color={serviceColour(name)} />
          <span className={css['nameText']}>{name}</span>
        </span>
        <VisuallyHidden>{text.spokenComma}</VisuallyHidden>
        <span className={css['facts']}>
          <span data-on={metric === 'rate' || undefined}>{formatRate(rate)}</span>
          <VisuallyHidden>{text.spokenComma}</VisuallyHidden>
          <span data-on={metric === 'errors' || undefined} data-bad={share >= RING_FROM || undefined}>
            {errors}
          </span>
          <VisuallyHidden>{text.spokenErrors}</VisuallyHidden>
          <span data-on={metric === 'latency' || undefined}>{p95}</span>
        </span>
      </button>
      <Handle type="source" position={Position.Right} className={css['handle']} isConnectable={false} />
    </>
  );
});

type RestNodeData = { readonly count: number };
export type RestFlowNode = Node<RestNodeData, 'rest'>;

/** All services that are not drawn. */
export const RestNode = memo(({ data }: NodeProps<RestFlowNode>) => (
  <button type="button" className={css['rest']} data-rest>
    <span className={css['restCount']}>{text.rest(data.count)}</span>
    <span className={css['restText']}>{text.restLabel(data.count)}</span>
  </button>
));
