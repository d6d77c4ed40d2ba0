// A titled part of the gallery, and a labelled line in it.

import type { ReactNode } from 'react';
import css from './gallery.module.css';

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={css['section']} aria-label={title}>
      <h2 className={css['title']}>{title}</h2>
      {children}
    </section>
  );
}

export function Line({ label, children, isWide = false }: { label: string; children: ReactNode; isWide?: boolean }) {
  return (
    <div className={css['line']}>
      <span className={css['label']}>{label}</span>
      <div className={isWide ? css['wide'] : css['items']}>{children}</div>
    </div>
  );
}
