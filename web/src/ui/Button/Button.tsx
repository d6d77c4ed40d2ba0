// A button with text. Plain by default; `primary` at most once in view, `quiet` in toolbars, `danger` for what cannot
// be taken back. A busy button keeps its width and focus and refuses presses.

import { Ellipsis, type LucideIcon } from 'lucide-react';
import type { ReactNode, Ref } from 'react';
import { Button as AriaButton } from 'react-aria-components';
import { useHandler } from '../hooks/useHandler.ts';
import { cx, given } from '../props.ts';
import css from './Button.module.css';

export type ButtonVariant = 'plain' | 'primary' | 'quiet' | 'danger';
export type ButtonSize = 'normal' | 'small';

export type ButtonProps = {
  children: ReactNode;
  onPress?: (() => void) | undefined;
  variant?: ButtonVariant | undefined;
  size?: ButtonSize | undefined;
  icon?: LucideIcon | undefined;
  /** After the text: a chevron of a menu, a key. */
  end?: ReactNode;
  isDisabled?: boolean | undefined;
  isBusy?: boolean | undefined;
  type?: 'button' | 'submit' | undefined;
  id?: string | undefined;
  autoFocus?: boolean | undefined;
  /** For what a key of the row does too: rows would be long ways by Tab. */
  excludeFromTabOrder?: boolean | undefined;
  className?: string | undefined;
  'aria-label'?: string | undefined;
  'aria-describedby'?: string | undefined;
  ref?: Ref<HTMLButtonElement> | undefined;
};

export function Button(props: ButtonProps) {
  const {
    children,
    variant = 'plain',
    size = 'normal',
    icon,
    end,
    isBusy = false,
    className,
    onPress,
    ...rest
  } = props;
  const press = useHandler(onPress);
  const Icon = isBusy ? Ellipsis : icon;
  return (
    <AriaButton
      {...given({ ...rest, onPress: press })}
      isPending={isBusy}
      className={cx(css['button'], css[variant], css[size], className)}
    >
      {Icon && <Icon aria-hidden size={14} className={css['icon']} />}
      <span className={css['text']}>{children}</span>
      {end}
    </AriaButton>
  );
}
