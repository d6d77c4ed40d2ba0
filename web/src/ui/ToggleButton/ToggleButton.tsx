// A button that stays pressed: live, fold, wrap. With an icon alone it has a tooltip, as IconButton has.

import type { LucideIcon } from 'lucide-react';
import { ToggleButton as AriaToggleButton } from 'react-aria-components';
import buttonCss from '../Button/Button.module.css';
import { useHandler } from '../hooks/useHandler.ts';
import { cx, given } from '../props.ts';
import { Tooltip } from '../Tooltip/Tooltip.tsx';

export type ToggleButtonProps = {
  label: string;
  isSelected: boolean;
  onChange: (isSelected: boolean) => void;
  icon?: LucideIcon | undefined;
  /** The label is shown only in the tooltip. */
  isIconOnly?: boolean | undefined;
  keys?: string | undefined;
  size?: 'normal' | 'small' | undefined;
  isDisabled?: boolean | undefined;
};

export function ToggleButton(props: ToggleButtonProps) {
  const { label, icon: Icon, isIconOnly = false, keys, size = 'normal', onChange, ...rest } = props;
  const change = useHandler(onChange);
  const button = (
    <AriaToggleButton
      {...given(rest)}
      onChange={change}
      {...(isIconOnly && { 'aria-label': label })}
      className={cx(
        buttonCss['button'],
        buttonCss['quiet'],
        buttonCss[size],
        isIconOnly ? buttonCss['iconOnly'] : buttonCss['toggle'],
        rest.isSelected && buttonCss['selected'],
      )}
    >
      {Icon && <Icon aria-hidden size={isIconOnly ? 16 : 14} className={buttonCss['icon']} />}
      {!isIconOnly && <span className={buttonCss['text']}>{label}</span>}
    </AriaToggleButton>
  );
  return isIconOnly || keys !== undefined ? (
    <Tooltip text={label} keys={keys}>
      {button}
    </Tooltip>
  ) : (
    button
  );
}
