// A section of Settings, and a line of it: what is chosen at the left, the choice at the right.

import type { ReactNode } from 'react';
import css from './Settings.module.css';

export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section aria-labelledby={`settings-${id}`} className={css['section']}>
      <h2 id={`settings-${id}`} className={css['heading']}>
        {title}
      </h2>
      {children}
    </section>
  );
}

type SettingProps = { name: string; detail?: string | undefined; children: ReactNode };

export function Setting({ name, detail, children }: SettingProps) {
  return (
    <div className={css['setting']}>
      <div className={css['settingName']}>
        <span>{name}</span>
        {detail !== undefined && <span className={css['quiet']}>{detail}</span>}
      </div>
      <div className={css['settingValue']}>{children}</div>
    </div>
  );
}
