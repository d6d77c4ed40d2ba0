// A link that looks like a button: it leads somewhere, so it can be opened in a tab of its own.

import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '../props.ts';
import css from './LinkButton.module.css';

export type LinkButtonProps = {
  href: string;
  children: ReactNode;
  icon?: LucideIcon | undefined;
  variant?: 'plain' | 'quiet' | undefined;
  'aria-label'?: string | undefined;
};

export function LinkButton({ href, children, icon: Icon, variant = 'plain', ...rest }: LinkButtonProps) {
  return (
    <a {...rest} href={href} className={cx(css['link'], css[variant])}>
      {Icon && <Icon aria-hidden size={14} className={css['icon']} />}
      {children}
    </a>
  );
}
