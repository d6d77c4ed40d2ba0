// The two sides: which traces they are, how to choose others, and to swap them.

import { ArrowLeftRight, ChevronDown, ExternalLink } from 'lucide-react';
import { hrefOf } from '../../core/navigation.ts';
import { placeOfTrace } from '../../core/places.ts';
import { formatDuration } from '../../format/duration.ts';
import type { TraceColumns } from '../../model/columns.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import { Popover, PopoverTrigger } from '../../ui/Popover/Popover.tsx';
import type { CompareState, TraceId } from '../../url/index.ts';
import { Choices } from './Choices.tsx';
import { rootName, shortId } from './names.ts';
import css from './Sides.module.css';
import { text } from './text.ts';

export type SideName = 'a' | 'b';

type PickerProps = {
  side: SideName;
  state: CompareState;
  trace: TraceColumns | undefined;
  onChoose: (side: SideName, id: TraceId) => void;
};

function Picker({ side, state, trace, onChoose }: PickerProps) {
  const id = state[side];
  return (
    <div className={css['side']}>
      <PopoverTrigger>
        <Button className={css['pick']}>
          <span className={css['pickLine']}>
            <span className={css['letter']}>{text.side(side)}</span>
            {id === null ? (
              <span className={css['quiet']}>{text.choose}</span>
            ) : (
              <>
                <code className={css['id']}>{shortId(id)}</code>
                {trace && (
                  <>
                    <span className={css['name']}>{rootName(trace)}</span>
                    <span className={css['duration']}>{formatDuration(trace.durationNs)}</span>
                    <span className={css['spans']}>{text.spans(trace.count)}</span>
                  </>
                )}
              </>
            )}
            <ChevronDown aria-hidden size={14} className={css['chevron']} />
          </span>
        </Button>
        <Popover label={text.chooseSide(side)}>
          {(close) => {
            const take = (chosen: TraceId) => {
              close();
              onChoose(side, chosen);
            };
            return (
              <div className={css['popover']}>
                <Choices state={state} not={id} onTake={take} />
              </div>
            );
          }}
        </Popover>
      </PopoverTrigger>
      {id !== null && (
        <a
          className={css['open']}
          href={hrefOf(placeOfTrace(id))}
          title={text.openTrace(side)}
          aria-label={text.openTrace(side)}
        >
          <ExternalLink aria-hidden size={14} />
        </a>
      )}
    </div>
  );
}

export type SidesProps = {
  state: CompareState;
  a: TraceColumns | undefined;
  b: TraceColumns | undefined;
  onChoose: (side: SideName, id: TraceId) => void;
  onSwap: () => void;
};

export function Sides({ state, a, b, onChoose, onSwap }: SidesProps) {
  return (
    <div className={css['sides']}>
      <Picker side="a" state={state} trace={a} onChoose={onChoose} />
      <IconButton icon={ArrowLeftRight} label={text.swap} keys="x" onPress={onSwap} />
      <Picker side="b" state={state} trace={b} onChoose={onChoose} />
    </div>
  );
}
