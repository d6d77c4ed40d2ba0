// What is odd about the trace as a whole, behind one word: missing parents, moved clocks, what the server says.

import { TriangleAlert } from 'lucide-react';
import { Button } from '../../../ui/Button/Button.tsx';
import { Popover, PopoverTrigger } from '../../../ui/Popover/Popover.tsx';
import { useTracePage } from '../state/page.tsx';
import css from './Header.module.css';
import { text } from './menuText.ts';

export function Warnings() {
  const { session } = useTracePage();
  const { facts, columns } = session;
  // A file has no server that would have said it.
  const seen = [
    ...(facts.orphans > 0 ? [text.orphans(facts.orphans)] : []),
    ...(facts.incomplete > 0 ? [text.incomplete(facts.incomplete)] : []),
    ...(facts.skewAdjusted > 0 ? [text.skew(facts.skewAdjusted)] : []),
  ];
  const lines = columns.warnings.length > 0 ? columns.warnings : seen;
  if (lines.length === 0) return null;
  const [only] = lines;
  const label = lines.length === 1 && only !== undefined && only.length < 60 ? only : text.warnings(lines.length);
  return (
    <PopoverTrigger>
      <Button size="small" variant="quiet" icon={TriangleAlert} className={css['warnings']}>
        {label}
      </Button>
      <Popover label={text.warningsLabel}>
        <ul className={css['warningList']}>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </Popover>
    </PopoverTrigger>
  );
}
