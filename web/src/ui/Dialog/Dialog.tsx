// A question or a form over the page. Either with a trigger, `<DialogTrigger><Button … /><Dialog … /></DialogTrigger>`,
// or opened by state. Escape and a press beside it close it.

import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { IconButton } from '../IconButton/IconButton.tsx';
import { cx, given } from '../props.ts';
import css from './Dialog.module.css';
import { text } from './text.ts';

export { DialogTrigger } from 'react-aria-components';

export type DialogProps = {
  title: string;
  children: ReactNode | ((close: () => void) => ReactNode);
  /** Buttons at the bottom, the main one last. */
  actions?: ((close: () => void) => ReactNode) | undefined;
  size?: 'small' | 'normal' | 'large' | undefined;
  isOpen?: boolean | undefined;
  onOpenChange?: ((isOpen: boolean) => void) | undefined;
  role?: 'dialog' | 'alertdialog' | undefined;
};

export function Dialog({ title, children, actions, size = 'normal', role = 'dialog', ...rest }: DialogProps) {
  return (
    <ModalOverlay {...given(rest)} isDismissable={role === 'dialog'} className={cx(css['ground'])}>
      <Modal className={cx(css['modal'], css[size])}>
        <AriaDialog role={role} className={cx(css['dialog'])}>
          {({ close }) => (
            <>
              <header className={css['head']}>
                <Heading slot="title" level={2} className={cx(css['title'])}>
                  {title}
                </Heading>
                <IconButton icon={X} label={text.close} size="small" onPress={close} />
              </header>
              <div className={css['body']}>{typeof children === 'function' ? children(close) : children}</div>
              {actions && <footer className={css['foot']}>{actions(close)}</footer>}
            </>
          )}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
