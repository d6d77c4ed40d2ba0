// A part of the page with its heading.

import type { ReactNode } from 'react';
import css from './Operation.module.css';

export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section aria-labelledby={id} className={css['section']}>
      <h2 id={id} className={css['heading']}>
        {title}
      </h2>
      {children}
    </section>
  );
}
