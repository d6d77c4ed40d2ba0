// What the time of the operation goes to: the operations on the critical paths of a sample of its spans.

import type { PathAnswer, PathPart } from '../../api/types.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { placeOfOperation, placeOfTrace } from '../../core/places.ts';
import { formatDuration, formatExactNs } from '../../format/duration.ts';
import { formatPercent } from '../../format/number.ts';
import { serviceColour } from '../../theme/palette.ts';
import { MeterBar } from '../../ui/MeterBar/MeterBar.tsx';
import { ServiceName } from '../../ui/ServiceName/ServiceName.tsx';
import { Table, type TableColumn } from '../../ui/Table/Table.tsx';
import type { OperationState } from '../../url/index.ts';
import css from './Operation.module.css';
import { text } from './text.ts';

type PathTableProps = { answer: PathAnswer; state: OperationState };

function isOwn(part: PathPart, { service, operation }: OperationState): boolean {
  return part.service === service && part.operation === operation;
}

function columnsOf(state: OperationState): TableColumn<PathPart>[] {
  return [
    {
      id: 'operation',
      header: text.pathOperation,
      minWidth: '200px',
      isRowHeader: true,
      cell: (part) => (
        <a
          className={css['partName']}
          tabIndex={-1}
          href={hrefOf(placeOfOperation(part.service, part.operation))}
          title={`${part.service} ${part.operation}`}
        >
          <ServiceName name={part.service} operation={part.operation} color={serviceColour(part.service)} />
          {isOwn(part, state) && <span className={css['quiet']}>{text.pathItself}</span>}
        </a>
      ),
    },
    {
      id: 'share',
      header: text.pathShare,
      width: '148px',
      cell: ({ share, operation }) => (
        <span className={css['partShare']}>
          <MeterBar label={text.pathShareOf(operation)} value={share} max={1} valueText={formatPercent(share)} />
          <span className={css['percent']}>{formatPercent(share)}</span>
        </span>
      ),
    },
    {
      id: 'mean',
      header: text.pathMean,
      width: '88px',
      align: 'end',
      cell: ({ meanNs }) => <span title={formatExactNs(meanNs)}>{formatDuration(meanNs)}</span>,
    },
    {
      id: 'calls',
      header: text.pathCalls,
      width: '72px',
      align: 'end',
      isWideOnly: true,
      cell: ({ calls }) => text.pathCallsOf(calls),
    },
    {
      id: 'example',
      header: text.pathExample,
      width: '80px',
      isWideOnly: true,
      cell: ({ traceId, spanId }) => (
        <a tabIndex={-1} href={hrefOf(placeOfTrace(traceId, spanId))}>
          {text.pathTrace}
        </a>
      ),
    },
  ];
}

export function PathTable({ answer, state }: PathTableProps) {
  const { spans, meanNs, parts, others, leftOut } = answer;
  if (spans === 0) return <p className={css['quiet']}>{text.pathNothing}</p>;
  return (
    <>
      <p className={css['quiet']}>{text.pathOf(spans, formatDuration(meanNs))}</p>
      <Table
        caption={text.path}
        columns={columnsOf(state)}
        rows={parts}
        rowKey={({ service, operation }) => `${service}\n${operation}`}
        className={css['latencyTable']}
        onOpen={({ service, operation }) => go(placeOfOperation(service, operation))}
      />
      {others > 0 && <p className={css['quiet']}>{text.pathOthers(formatPercent(others))}</p>}
      {leftOut > 0 && <p className={css['quiet']}>{text.pathLeftOut(leftOut)}</p>}
    </>
  );
}
