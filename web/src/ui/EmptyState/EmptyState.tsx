// Why there is nothing here and what to do: no data at all, no match, or not in this time range.

import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '../props.ts';
import css from './EmptyState.module.css';

export type EmptyStateProps = {
  icon?: LucideIcon | undefined;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** The heading's level in the page. */
  level?: 2 | 3 | 4 | undefined;
  /** In a panel: without the air around it. */
  isSmall?: boolean | undefined;
};

export function EmptyState({ icon: Icon, title, children, actions, level = 2, isSmall = false }: EmptyStateProps) {
  const Title = `h${level}` as const;
  return (
    <div className={cx(css['empty'], isSmall && css['small'])}>
      {Icon && <Icon aria-hidden size={isSmall ? 16 : 24} strokeWidth={1.5} className={css['icon']} />}
      <Title className={css['title']}>{title}</Title>
      {children && <div className={css['text']}>{children}</div>}
      {actions && <div className={css['actions']}>{actions}</div>}
    </div>
  );
}
