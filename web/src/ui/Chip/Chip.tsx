// One condition of a query: "status = error ×". Pressing it opens its menu (edit, include or exclude, remove, others);
// without a menu to open, pressing edits.

import { CircleMinus, CirclePlus, Pencil, X } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import { Menu, MenuItem, MenuSeparator, MenuTrigger } from '../Menu/Menu.tsx';
import { cx } from '../props.ts';
import css from './Chip.module.css';
import { ChipEditor } from './ChipEditor.tsx';
import { text } from './text.ts';

export type ChipLabel = { field: string; op: string; value: string } | { text: string };

export type ChipProps = {
  label: ChipLabel;
  /** The text that editing starts from; the label's own text if absent. */
  editText?: string | undefined;
  isExcluded?: boolean | undefined;
  hasError?: boolean | undefined;
  onRemove?: (() => void) | undefined;
  onEdit?: ((text: string) => void) | undefined;
  /** Called with what it shall be: true = excluded. */
  onExclude?: ((isExcluded: boolean) => void) | undefined;
  /** Further `MenuItem`s. */
  menu?: ReactNode;
};

export function chipText(label: ChipLabel): string {
  return 'text' in label ? label.text : `${label.field} ${label.op} ${label.value}`;
}

export function Chip(props: ChipProps) {
  const { label, editText, isExcluded = false, hasError = false, onRemove, onEdit, onExclude, menu } = props;
  const [isEditing, setEditing] = useState(false);
  const chip = useRef<HTMLSpanElement>(null);
  const wantsFocus = useRef(false);
  const name = chipText(label);
  useEffect(() => {
    if (isEditing || !wantsFocus.current) return;
    wantsFocus.current = false;
    chip.current?.querySelector('button')?.focus();
  }, [isEditing]);

  if (isEditing && onEdit) {
    return (
      <ChipEditor
        label={text.editing(name)}
        value={editText ?? name}
        onDone={(value, isByKey) => {
          setEditing(false);
          wantsFocus.current = isByKey;
          if (value !== null && value !== (editText ?? name)) onEdit(value);
        }}
      />
    );
  }

  const content = (
    <span className={css['text']}>
      {isExcluded && <span className={css['not']}>{text.excluded}</span>}
      {'text' in label ? (
        label.text
      ) : (
        <>
          <span className={css['field']}>{label.field}</span> <span className={css['op']}>{label.op}</span>{' '}
          {label.value}
        </>
      )}
    </span>
  );
  const hasMenu = onExclude !== undefined || menu !== undefined;
  const className = cx(css['chip'], isExcluded && css['excluded'], hasError && css['bad']);
  return (
    <span ref={chip} className={className}>
      {hasMenu && (
        <MenuTrigger>
          <AriaButton className={cx(css['main'])}>{content}</AriaButton>
          <Menu label={name}>
            {onEdit && <MenuItem id="edit" icon={Pencil} label={text.edit} onAction={() => setEditing(true)} />}
            {onExclude && (
              <MenuItem
                id="exclude"
                icon={isExcluded ? CirclePlus : CircleMinus}
                label={isExcluded ? text.include : text.exclude}
                onAction={() => onExclude(!isExcluded)}
              />
            )}
            {menu}
            {onRemove && <MenuSeparator />}
            {onRemove && <MenuItem id="remove" icon={X} label={text.remove} onAction={onRemove} />}
          </Menu>
        </MenuTrigger>
      )}
      {!hasMenu && onEdit && (
        <AriaButton className={cx(css['main'])} onPress={() => setEditing(true)}>
          {content}
        </AriaButton>
      )}
      {!hasMenu && !onEdit && <span className={css['main']}>{content}</span>}
      {onRemove && (
        <AriaButton className={cx(css['remove'])} aria-label={text.removeThis(name)} onPress={onRemove}>
          <X aria-hidden size={12} />
        </AriaButton>
      )}
    </span>
  );
}
