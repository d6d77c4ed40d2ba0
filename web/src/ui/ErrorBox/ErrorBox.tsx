// A part of the page that could not be had; the rest of the page lives on. What failed, what the server said, what to
// do about it.

import { CircleAlert, RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '../Button/Button.tsx';
import { CopyButton } from '../CopyButton/CopyButton.tsx';
import { cx } from '../props.ts';
import css from './ErrorBox.module.css';
import { text } from './text.ts';

export type ErrorBoxProps = {
  /** "The search failed". */
  title: string;
  /** The server's words, as they came. */
  message?: string | undefined;
  hint?: string | null | undefined;
  onRetry?: (() => void) | undefined;
  isRetrying?: boolean | undefined;
  /** The request as a command line. */
  curl?: string | undefined;
  actions?: ReactNode;
  /** Directly in a page: with the room that the page has at its sides. */
  isPage?: boolean | undefined;
};

export function ErrorBox({ title, message, hint, onRetry, isRetrying, curl, actions, isPage = false }: ErrorBoxProps) {
  return (
    <div role="alert" className={cx(css['box'], isPage && css['page'])}>
      <CircleAlert aria-hidden size={16} className={css['icon']} />
      <div className={css['body']}>
        <p className={css['title']}>{title}</p>
        {message !== undefined && <p className={css['message']}>{message}</p>}
        {hint && <p className={css['hint']}>{hint}</p>}
        {(onRetry || curl !== undefined || actions) && (
          <div className={css['actions']}>
            {onRetry && (
              <Button size="small" icon={RotateCw} isBusy={isRetrying} onPress={onRetry}>
                {text.retry}
              </Button>
            )}
            {actions}
            {curl !== undefined && <CopyButton isWide label={text.copyCurl} value={curl} />}
          </div>
        )}
      </div>
    </div>
  );
}
