// A hint at a control, on hover and on keyboard focus. It repeats or adds, it never holds the only copy of something.
// The child must be one of our buttons; around plain text use `Hint`.

import { type ReactElement, type ReactNode, useState } from 'react';
import {
  Button as AriaButton,
  Tooltip as AriaTooltip,
  type TooltipProps as AriaTooltipProps,
  TooltipTrigger,
} from 'react-aria-components';
import { Kbd } from '../Kbd/Kbd.tsx';
import { cx } from '../props.ts';
import css from './Tooltip.module.css';

type Placement = NonNullable<AriaTooltipProps['placement']>;

export type TooltipProps = {
  text: ReactNode;
  /** The key of the command, as in the registry: `Mod+K`. */
  keys?: string | undefined;
  placement?: Placement | undefined;
  delay?: number | undefined;
  isDisabled?: boolean | undefined;
  children: ReactElement;
};

export function Tooltip({ text, keys, placement = 'top', delay = 500, isDisabled = false, children }: TooltipProps) {
  return (
    <TooltipTrigger delay={delay} closeDelay={100} isDisabled={isDisabled}>
      {children}
      <AriaTooltip placement={placement} offset={6} className={cx(css['tooltip'])}>
        <span>{text}</span>
        {keys !== undefined && <Kbd keys={keys} />}
      </AriaTooltip>
    </TooltipTrigger>
  );
}

export type HintProps = Omit<TooltipProps, 'children' | 'keys'> & {
  children: ReactNode;
  className?: string | undefined;
};

/** Text with more behind it: a full duration, a time in UTC. Reached by Tab and by touch, marked by dots. */
export function Hint({ text, placement = 'top', delay = 300, isDisabled = false, children, className }: HintProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <TooltipTrigger {...{ delay, isDisabled, isOpen }} closeDelay={100} onOpenChange={setOpen}>
      <AriaButton className={cx(css['hint'], className)} onPress={() => setOpen(true)}>
        {children}
      </AriaButton>
      <AriaTooltip placement={placement} offset={6} className={cx(css['tooltip'])}>
        {text}
      </AriaTooltip>
    </TooltipTrigger>
  );
}
