// A text with suggestions that come from outside, as one types: each with a detail and a count. The items are shown as
// given, in their order; who gives them filters them.

import { ChevronDown } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import {
  Button as AriaButton,
  ComboBox as AriaComboBox,
  Group,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
} from 'react-aria-components';
import { formatCount } from '../../i18n/catalogue.ts';
import fieldCss from '../Field/Field.module.css';
import overlayCss from '../Overlay/Overlay.module.css';
import { cx, given } from '../props.ts';
import { text } from './text.ts';

export type ComboBoxItem = {
  id: string;
  label: string;
  detail?: string | undefined;
  count?: number | null | undefined;
  /** Before the label: a service's swatch. */
  lead?: ReactNode;
};

export type ComboBoxProps = {
  label: string;
  labelPlace?: 'before' | 'above' | 'hidden' | undefined;
  items: readonly ComboBoxItem[];
  inputValue: string;
  onInputChange: (text: string) => void;
  /** A suggestion was chosen. */
  onSelect: (item: ComboBoxItem) => void;
  /** Enter on a text that is no suggestion; without it such texts are not taken. */
  onCustom?: ((text: string) => void) | undefined;
  onOpenChange?: ((isOpen: boolean) => void) | undefined;
  placeholder?: string | undefined;
  isLoading?: boolean | undefined;
  isDisabled?: boolean | undefined;
  isMono?: boolean | undefined;
  autoFocus?: boolean | undefined;
  className?: string | undefined;
};

export function ComboBox(props: ComboBoxProps) {
  const { label, labelPlace = 'before', items, inputValue, onInputChange, onSelect, onCustom, placeholder } = props;
  const { isLoading = false, isDisabled, isMono = false, autoFocus, onOpenChange, className } = props;
  // What was chosen just now: a value that changes closes the list, which a text that changes would open again. It is
  // gone at once, so that the same can be chosen twice.
  const [chosen, setChosen] = useState<string | null>(null);
  useEffect(() => {
    if (chosen !== null) setChosen(null);
  }, [chosen]);
  return (
    <AriaComboBox
      {...given({ isDisabled, autoFocus, onOpenChange })}
      {...(labelPlace === 'hidden' && { 'aria-label': label })}
      items={items}
      inputValue={inputValue}
      onInputChange={onInputChange}
      value={chosen}
      onChange={(key) => {
        const item = items.find(({ id }) => id === key);
        if (!item) return;
        setChosen(item.id);
        onSelect(item);
      }}
      menuTrigger="focus"
      allowsCustomValue
      allowsEmptyCollection
      className={cx(fieldCss['field'], labelPlace === 'above' && fieldCss['above'], className)}
    >
      {labelPlace !== 'hidden' && <Label className={fieldCss['label']}>{label}</Label>}
      <Group className={cx(fieldCss['box'])}>
        <Input
          className={cx(fieldCss['input'], isMono && fieldCss['mono'])}
          {...given({ placeholder })}
          spellCheck={false}
          onKeyDown={(event) => {
            const isOnItem = event.currentTarget.getAttribute('aria-activedescendant');
            if (event.key === 'Enter' && !isOnItem && inputValue !== '') onCustom?.(inputValue);
          }}
        />
        <AriaButton className={cx(fieldCss['inner'])} aria-label={text.show}>
          <ChevronDown aria-hidden size={14} />
        </AriaButton>
      </Group>
      <Popover offset={4} maxHeight={320} className={cx(overlayCss['overlay'], overlayCss['asWide'])}>
        <ListBox<ComboBoxItem>
          className={cx(overlayCss['list'])}
          renderEmptyState={() => <div className={overlayCss['empty']}>{isLoading ? text.loading : text.nothing}</div>}
        >
          {({ id, label: name, detail, count, lead }) => (
            <ListBoxItem id={id} textValue={name} className={cx(overlayCss['item'])}>
              {lead}
              <span className={cx(overlayCss['label'], isMono && fieldCss['mono'])}>{name}</span>
              {detail !== undefined && <span className={overlayCss['detail']}>{detail}</span>}
              {count !== undefined && (
                <span className={overlayCss['count']}>{count === null ? '' : formatCount(count)}</span>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaComboBox>
  );
}
