// What is wrong with a query, below its text: each with its remedy where there is one.

import { CircleAlert, TriangleAlert } from 'lucide-react';
import type { Diagnostic } from '../../api/types.ts';
import { Button } from '../../ui/Button/Button.tsx';
import css from './Query.module.css';

const SHOWN_MAX = 4;

type DiagnosticsProps = {
  diagnostics: readonly Diagnostic[];
  text: string;
  /** The text with a remedy in it. */
  onMend: (text: string) => void;
};

export function Diagnostics({ diagnostics, text, onMend }: DiagnosticsProps) {
  return (
    <div role="status">
      <ul className={css['diagnostics']}>
        {diagnostics.slice(0, SHOWN_MAX).map(({ severity, message, from, to, proposal }) => {
          const Icon = severity === 'error' ? CircleAlert : TriangleAlert;
          return (
            <li key={`${from} ${to} ${message}`} className={css['diagnostic']} data-severity={severity}>
              <Icon aria-hidden size={14} className={css['diagnosticIcon']} />
              <span>{message}</span>
              {proposal && (
                <Button
                  size="small"
                  onPress={() => onMend(text.slice(0, proposal.from) + proposal.text + text.slice(proposal.to))}
                >
                  {proposal.label}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
