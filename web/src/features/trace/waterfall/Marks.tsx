// The pieces of time that are marked, over the rows or the levels: how long each is, and a way to let kept ones go.

import { X } from 'lucide-react';
import { formatDuration } from '../../../format/duration.ts';
import { keepMark, type Mark, useTracePage, useWindowBounds } from '../state/page.tsx';
import css from './Marks.module.css';
import { text } from './text.ts';

type MarksProps = { /** Where the time side begins, and how wide it is. */ left: number; width: number };

export function Marks({ left, width }: MarksProps) {
  const { mark, kept, window } = useTracePage();
  const { from, to } = useWindowBounds(window);
  const perNs = width / (to - from);
  const place = (one: Mark) => {
    const x0 = Math.max(-2, (one.from - from) * perNs);
    const x1 = Math.min(width + 2, (one.to - from) * perNs);
    return x1 < 0 || x0 > width ? null : { insetInlineStart: left + x0, inlineSize: Math.max(1, x1 - x0) };
  };
  const current = mark && place(mark);
  return (
    <>
      {kept.map((one) => {
        const style = place(one);
        const value = formatDuration(one.to - one.from);
        return (
          style && (
            <div key={`${one.from}-${one.to}`} className={css['mark']} data-kept style={style}>
              <button type="button" className={css['label']} onClick={() => keepMark(one, kept)} data-own-wheel>
                {value}
                <X aria-label={text.letGo} size={12} />
              </button>
            </div>
          )
        );
      })}
      {mark && current && (
        <div className={css['mark']} style={current}>
          <span role="status" aria-label={text.marked(formatDuration(mark.to - mark.from))} className={css['label']}>
            {formatDuration(mark.to - mark.from)}
          </span>
        </div>
      )}
    </>
  );
}
