// A button with an icon only. Its label is its name for screen readers and its tooltip for everyone else.

import type { LucideIcon } from 'lucide-react';
import { Button as AriaButton, type TooltipProps } from 'react-aria-components';
import buttonCss from '../Button/Button.module.css';
import type { ButtonProps } from '../Button/Button.tsx';
import { useHandler } from '../hooks/useHandler.ts';
import { cx, given } from '../props.ts';
import { Tooltip } from '../Tooltip/Tooltip.tsx';

export type IconButtonProps = Omit<ButtonProps, 'children' | 'icon' | 'end' | 'aria-label'> & {
  icon: LucideIcon;
  label: string;
  keys?: string | undefined;
  placement?: TooltipProps['placement'] | undefined;
};

export function IconButton(props: IconButtonProps) {
  const {
    icon: Icon,
    label,
    keys,
    placement,
    variant = 'quiet',
    size = 'normal',
    isBusy = false,
    className,
    onPress,
    ...rest
  } = props;
  const press = useHandler(onPress);
  return (
    <Tooltip text={label} keys={keys} placement={placement}>
      <AriaButton
        {...given({ ...rest, onPress: press })}
        aria-label={label}
        isPending={isBusy}
        className={cx(buttonCss['button'], buttonCss['iconOnly'], buttonCss[variant], buttonCss[size], className)}
      >
        <Icon aria-hidden size={16} strokeWidth={1.75} className={buttonCss['icon']} />
      </AriaButton>
    </Tooltip>
  );
}
