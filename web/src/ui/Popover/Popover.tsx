// A small panel at a control: `<PopoverTrigger><Button … /><Popover label="…">…</Popover></PopoverTrigger>`.

import type { ReactNode } from 'react';
import { Popover as AriaPopover, type PopoverProps as AriaPopoverProps, Dialog } from 'react-aria-components';
import overlayCss from '../Overlay/Overlay.module.css';
import { cx, given } from '../props.ts';
import css from './Popover.module.css';

export { DialogTrigger as PopoverTrigger } from 'react-aria-components';

export type PopoverProps = {
  label: string;
  /** The content, or a function that gets what closes the popover. */
  children: ReactNode | ((close: () => void) => ReactNode);
  placement?: AriaPopoverProps['placement'] | undefined;
  isOpen?: boolean | undefined;
  onOpenChange?: ((isOpen: boolean) => void) | undefined;
  triggerRef?: AriaPopoverProps['triggerRef'] | undefined;
  isPadded?: boolean | undefined;
};

export function Popover({ label, children, placement = 'bottom start', isPadded = true, ...rest }: PopoverProps) {
  return (
    <AriaPopover {...given(rest)} placement={placement} offset={4} className={cx(overlayCss['overlay'])}>
      <Dialog aria-label={label} className={cx(css['content'], isPadded && css['padded'])}>
        {({ close }) => (typeof children === 'function' ? children(close) : children)}
      </Dialog>
    </AriaPopover>
  );
}
