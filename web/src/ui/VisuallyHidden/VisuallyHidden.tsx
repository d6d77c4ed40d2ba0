// Text for screen readers only.

import type { ReactNode } from 'react';
import css from './VisuallyHidden.module.css';

export type VisuallyHiddenProps = { children: ReactNode; id?: string | undefined };

export function VisuallyHidden({ children, id }: VisuallyHiddenProps) {
  return (
    <span id={id} className={css['hidden']}>
      {children}
    </span>
  );
}
