// A stack trace: frames of libraries stand back, and can be left out.

import { useState } from 'react';
import { Checkbox } from '../../../ui/Checkbox/Checkbox.tsx';
import { CopyButton } from '../../../ui/CopyButton/CopyButton.tsx';
import css from './Details.module.css';
import { stackLines } from './stack.ts';
import { text } from './text.ts';

export function StackTrace({ stack }: { stack: string }) {
  const [isOwnOnly, setOwnOnly] = useState(false);
  const lines = stackLines(stack);
  const libraries = lines.filter(({ kind }) => kind === 'library').length;
  const canHide = libraries > 0 && lines.some(({ kind }) => kind === 'own');
  const shown = isOwnOnly && canHide ? lines.filter(({ kind }) => kind !== 'library') : lines;
  return (
    <div className={css['stack']}>
      {canHide && (
        <div className={css['stackTools']}>
          <Checkbox label={text.ownFrames} isSelected={isOwnOnly} onChange={setOwnOnly} />
          {isOwnOnly && <span className={css['quiet']}>{text.hiddenFrames(libraries)}</span>}
        </div>
      )}
      <div className={css['stackBox']}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it */}
        <section aria-label={text.stack} tabIndex={0} className={css['stackLines']}>
          {shown.map(({ text: line, kind }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
            <div key={i} data-kind={kind} className={css['stackLine']}>
              {line}
            </div>
          ))}
        </section>
        <CopyButton value={stack} label={text.copy} />
      </div>
    </div>
  );
}
