// One choice of a short list. The label stands in front of the value ("Sort: slowest"), above it, or is only spoken.

import { Check, ChevronDown, type LucideIcon } from 'lucide-react';
import {
  Button as AriaButton,
  Select as AriaSelect,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
} from 'react-aria-components';
import buttonCss from '../Button/Button.module.css';
import fieldCss from '../Field/Field.module.css';
import overlayCss from '../Overlay/Overlay.module.css';
import { cx, given } from '../props.ts';
import css from './Select.module.css';

export type SelectItem<Id extends string = string> = {
  id: Id;
  label: string;
  detail?: string | undefined;
  icon?: LucideIcon | undefined;
};

export type SelectProps<Id extends string> = {
  label: string;
  labelPlace?: 'before' | 'above' | 'hidden' | undefined;
  items: readonly SelectItem<Id>[];
  value: Id | null;
  onChange: (id: Id) => void;
  placeholder?: string | undefined;
  variant?: 'plain' | 'quiet' | undefined;
  size?: 'normal' | 'small' | undefined;
  isDisabled?: boolean | undefined;
};

export function Select<Id extends string>(props: SelectProps<Id>) {
  const {
    label,
    labelPlace = 'before',
    items,
    value,
    onChange,
    placeholder,
    variant = 'plain',
    size = 'normal',
    isDisabled,
  } = props;
  return (
    <AriaSelect
      {...given({ placeholder, isDisabled })}
      {...(labelPlace === 'hidden' && { 'aria-label': label })}
      value={value}
      onChange={(key) => {
        const item = items.find(({ id }) => id === key);
        if (item) onChange(item.id);
      }}
      className={cx(fieldCss['field'], labelPlace === 'above' && fieldCss['above'])}
    >
      {labelPlace !== 'hidden' && <Label className={fieldCss['label']}>{label}</Label>}
      <AriaButton className={cx(buttonCss['button'], buttonCss[variant], buttonCss[size], css['button'])}>
        <SelectValue className={cx(css['value'])}>
          {({ selectedText, defaultChildren }) => selectedText || defaultChildren}
        </SelectValue>
        <ChevronDown aria-hidden size={14} className={css['chevron']} />
      </AriaButton>
      <Popover offset={4} className={cx(overlayCss['overlay'], overlayCss['asWide'])}>
        <ListBox items={items} className={cx(overlayCss['list'])}>
          {({ id, label: name, detail, icon: Icon }) => (
            <ListBoxItem id={id} textValue={name} className={cx(overlayCss['item'])}>
              {({ isSelected }) => (
                <>
                  <span className={overlayCss['lead']}>{isSelected && <Check aria-hidden size={14} />}</span>
                  {Icon && <Icon aria-hidden size={14} className={overlayCss['lead']} />}
                  <span className={overlayCss['label']}>{name}</span>
                  {detail !== undefined && <span className={overlayCss['detail']}>{detail}</span>}
                </>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
