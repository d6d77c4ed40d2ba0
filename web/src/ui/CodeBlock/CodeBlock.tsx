// Text as it is, in the monospaced face: a statement, a stack trace, a command line. It can be copied and wrapped.

import { WrapText } from 'lucide-react';
import { useState } from 'react';
import { CopyButton } from '../CopyButton/CopyButton.tsx';
import { cx } from '../props.ts';
import { ToggleButton } from '../ToggleButton/ToggleButton.tsx';
import css from './CodeBlock.module.css';
import { text } from './text.ts';

export type CodeBlockProps = {
  label: string;
  code: string;
  isWrapped?: boolean | undefined;
  /** Lines shown before it scrolls. */
  maxLines?: number | undefined;
};

export function CodeBlock({ label, code, isWrapped = false, maxLines = 24 }: CodeBlockProps) {
  const [wraps, setWraps] = useState(isWrapped);
  return (
    <div className={css['block']}>
      <section
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it
        tabIndex={0}
        className={css['scroll']}
        style={{ maxBlockSize: `${maxLines * 18 + 16}px` }}
      >
        <pre className={cx(css['code'], wraps && css['wraps'])}>{code}</pre>
      </section>
      <div className={css['tools']}>
        <ToggleButton
          isIconOnly
          size="small"
          icon={WrapText}
          label={text.wrap}
          isSelected={wraps}
          onChange={setWraps}
        />
        <CopyButton value={code} label={text.copy} />
      </div>
    </div>
  );
}
