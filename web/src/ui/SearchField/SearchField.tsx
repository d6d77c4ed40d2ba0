// A text to look for. Escape and the cross clear it; Enter goes on to the next match where there is one.

import { Search, X } from 'lucide-react';
import { type Ref, useRef } from 'react';
import fieldCss from '../Field/Field.module.css';
import { cx } from '../props.ts';
import { text } from './text.ts';

export type SearchFieldProps = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string | undefined;
  onEnter?: ((isBackwards: boolean) => void) | undefined;
  /** After the text: "3/17". */
  end?: string | undefined;
  isMono?: boolean | undefined;
  isInvalid?: boolean | undefined;
  isDisabled?: boolean | undefined;
  className?: string | undefined;
  ref?: Ref<HTMLInputElement> | undefined;
};

export function SearchField(props: SearchFieldProps) {
  const {
    label,
    value,
    onChange,
    placeholder,
    onEnter,
    end,
    isMono = false,
    isInvalid = false,
    isDisabled,
    className,
    ref,
  } = props;
  const box = useRef<HTMLDivElement>(null);
  return (
    <div ref={box} className={cx(fieldCss['box'], isInvalid && fieldCss['invalid'], className)}>
      <Search aria-hidden size={14} className={fieldCss['icon']} />
      <input
        ref={ref}
        type="search"
        className={cx(fieldCss['input'], isMono && fieldCss['mono'])}
        aria-label={label}
        aria-invalid={isInvalid || undefined}
        placeholder={placeholder ?? label}
        value={value}
        disabled={isDisabled}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && value !== '') {
            event.preventDefault();
            event.stopPropagation();
            onChange('');
          } else if (event.key === 'Enter' && onEnter) {
            event.preventDefault();
            onEnter(event.shiftKey);
          }
        }}
      />
      {end !== undefined && <span className={fieldCss['end']}>{end}</span>}
      {value !== '' && (
        <button
          type="button"
          className={fieldCss['inner']}
          aria-label={text.clear}
          onClick={() => {
            onChange('');
            box.current?.querySelector('input')?.focus();
          }}
        >
          <X aria-hidden size={14} />
        </button>
      )}
    </div>
  );
}
