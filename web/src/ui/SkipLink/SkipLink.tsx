// The first stop of Tab: past the rail and the top bar, to the element with the id. By script, since `<base href>`
// makes `#main` another page.

import css from './SkipLink.module.css';
import { text } from './text.ts';

export type SkipLinkProps = { targetId: string; label?: string | undefined };

export function SkipLink({ targetId, label = text.toContent }: SkipLinkProps) {
  return (
    <a
      href={`#${targetId}`}
      className={css['skip']}
      onClick={(event) => {
        event.preventDefault();
        const target = document.getElementById(targetId);
        if (!target) return;
        if (target.tabIndex < 0) target.tabIndex = -1;
        target.focus();
      }}
    >
      {label}
    </a>
  );
}
