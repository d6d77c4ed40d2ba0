// The chip as text: Enter and leaving take it, Escape does not. It grows with what is typed.

import { useEffect, useRef, useState } from 'react';
import { cx } from '../props.ts';
import css from './Chip.module.css';

export type ChipEditorProps = {
  label: string;
  value: string;
  /** The text, or null when editing was given up; and whether by a key, so that the focus goes back. */
  onDone: (value: string | null, isByKey: boolean) => void;
};

export function ChipEditor({ label, value, onDone }: ChipEditorProps) {
  const [draft, setDraft] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const isDone = useRef(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  function finish(result: string | null, isByKey: boolean) {
    if (isDone.current) return;
    isDone.current = true;
    onDone(result, isByKey);
  }
  return (
    <span className={cx(css['chip'], css['editing'])}>
      <input
        ref={input}
        className={css['input']}
        aria-label={label}
        value={draft}
        size={Math.max(4, draft.length + 1)}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setDraft(event.target.value)}
        onBlur={() => finish(draft, false)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') finish(draft, true);
          else if (event.key === 'Escape') finish(null, true);
          else return;
          event.preventDefault();
          event.stopPropagation();
        }}
      />
    </span>
  );
}
