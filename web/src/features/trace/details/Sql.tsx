// A statement laid out, or as it was sent; as sent where the layout cannot read it.

import { useEffect, useState } from 'react';
import { CodeBlock } from '../../../ui/CodeBlock/CodeBlock.tsx';
import { SegmentedControl } from '../../../ui/SegmentedControl/SegmentedControl.tsx';
import css from './Details.module.css';
import { text } from './text.ts';

type Shown = 'laidOut' | 'plain';

export function Sql({
  label,
  statement,
  dialect,
}: {
  label: string;
  statement: string;
  dialect: 'mysql' | 'postgresql';
}) {
  const [laidOut, setLaidOut] = useState<string | null>(null);
  const [shown, setShown] = useState<Shown>('laidOut');
  useEffect(() => {
    let isCurrent = true;
    import('./sql.ts').then(
      ({ layOut }) => {
        if (!isCurrent) return;
        try {
          setLaidOut(layOut(statement, dialect));
        } catch {
          setLaidOut(null);
        }
      },
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [statement, dialect]);
  const hasLayout = laidOut !== null && laidOut !== statement;
  return (
    <div className={css['sql']}>
      {hasLayout && (
        <SegmentedControl<Shown>
          label={label}
          items={[
            { id: 'laidOut', label: text.laidOut },
            { id: 'plain', label: text.plain },
          ]}
          value={shown}
          onChange={setShown}
        />
      )}
      <CodeBlock label={label} code={hasLayout && shown === 'laidOut' ? laidOut : statement} isWrapped maxLines={16} />
    </div>
  );
}
