// A part of the details under a heading that opens and closes it.

import { ChevronRight } from 'lucide-react';
import { type ReactNode, useId, useState } from 'react';
import css from './Details.module.css';

type Props = { title: string; count?: number; isOpen?: boolean; tools?: ReactNode; children: ReactNode };

export function Section({ title, count, isOpen = true, tools, children }: Props) {
  const [open, setOpen] = useState(isOpen);
  const id = useId();
  return (
    <section className={css['section']}>
      <div className={css['sectionHead']}>
        <h3>
          <button
            type="button"
            className={css['disclose']}
            aria-expanded={open}
            aria-controls={id}
            onClick={() => setOpen(!open)}
          >
            <ChevronRight aria-hidden size={14} className={css['sectionIcon']} />
            {title}
            {count !== undefined && <span className={css['quiet']}>{count}</span>}
          </button>
        </h3>
        {open && tools}
      </div>
      <div id={id} hidden={!open}>
        {open && children}
      </div>
    </section>
  );
}
