// Ranges that end now: the usual ones, and one as text.

import { Check } from 'lucide-react';
import { useId, useState } from 'react';
import fieldCss from '../Field/Field.module.css';
import { cx } from '../props.ts';
import css from './TimeRangePicker.module.css';
import type { TimeRange } from './TimeRangePicker.tsx';
import { text } from './text.ts';
import { durationNs } from './times.ts';

type RelativeListProps = { presets: readonly string[]; value: TimeRange; onTake: (range: TimeRange) => void };

export function RelativeList({ presets, value, onTake }: RelativeListProps) {
  const current = 'range' in value ? value.range : null;
  const [draft, setDraft] = useState(current !== null && !presets.includes(current) ? current : '');
  const [isBad, setBad] = useState(false);
  const id = useId();
  return (
    <div className={css['relative']}>
      <h3 className={css['title']}>{text.relative}</h3>
      <div className={css['presets']}>
        {presets.map((preset) => (
          <button
            key={preset}
            type="button"
            className={css['option']}
            aria-pressed={preset === current}
            onClick={() => onTake({ range: preset })}
          >
            <span className={css['lead']}>{preset === current && <Check aria-hidden size={14} />}</span>
            {text.last(preset)}
          </button>
        ))}
      </div>
      <form
        className={css['other']}
        onSubmit={(event) => {
          event.preventDefault();
          const range = draft.trim().replaceAll(/\s/g, '');
          if (durationNs(range)) onTake({ range });
          else setBad(true);
        }}
      >
        <span className={cx(fieldCss['box'], isBad && fieldCss['invalid'])}>
          <input
            className={fieldCss['input']}
            aria-label={text.other}
            placeholder={text.other}
            value={draft}
            aria-invalid={isBad || undefined}
            aria-describedby={isBad ? id : undefined}
            autoComplete="off"
            onChange={(event) => {
              setDraft(event.target.value);
              setBad(false);
            }}
          />
        </span>
        {isBad && (
          <span id={id} role="alert" className={fieldCss['error']}>
            {text.badDuration}
          </span>
        )}
      </form>
    </div>
  );
}
