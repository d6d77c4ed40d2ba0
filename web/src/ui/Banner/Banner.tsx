// A line about the page or a part of it: partial data, a broken link, a trace still growing.

import { CircleAlert, Info, TriangleAlert, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from '../IconButton/IconButton.tsx';
import { cx } from '../props.ts';
import { VisuallyHidden } from '../VisuallyHidden/VisuallyHidden.tsx';
import css from './Banner.module.css';
import { text } from './text.ts';

const icons = { info: Info, warn: TriangleAlert, error: CircleAlert };

export type BannerProps = {
  tone?: 'info' | 'warn' | 'error' | undefined;
  children: ReactNode;
  /** Small buttons. */
  actions?: ReactNode;
  onDismiss?: (() => void) | undefined;
};

export function Banner({ tone = 'info', children, actions, onDismiss }: BannerProps) {
  const Icon = icons[tone];
  return (
    <div role={tone === 'error' ? 'alert' : 'status'} className={cx(css['banner'], css[tone])}>
      <Icon aria-hidden size={14} className={css['icon']} />
      <VisuallyHidden>{text[tone]}</VisuallyHidden>
      <div className={css['text']}>{children}</div>
      {actions && <div className={css['actions']}>{actions}</div>}
      {onDismiss && <IconButton icon={X} label={text.dismiss} size="small" onPress={onDismiss} />}
    </div>
  );
}
