// What a page throws ends that page, not the app.

import { Component, type ReactNode } from 'react';
import { Button } from '../ui/Button/Button.tsx';
import { ErrorBox } from '../ui/ErrorBox/ErrorBox.tsx';
import { text } from './text.ts';

type Props = { children: ReactNode /** Another page is a new try. */; resetKey: string };
type State = { error: Error | null; at: string };

/** A page that is still open after an update asks for files that are gone. */
function isOldPage(error: Error): boolean {
  return /dynamically imported module|module script|Importing a module/i.test(error.message);
}

export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null, at: this.props.resetKey };

  static getDerivedStateFromError(thrown: unknown): Partial<State> {
    return { error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  }

  static getDerivedStateFromProps(props: Props, state: State): Partial<State> | null {
    return props.resetKey === state.at ? null : { error: null, at: props.resetKey };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <ErrorBox
        isPage
        title={isOldPage(error) ? text.newVersion : text.failedTitle}
        message={error.message}
        hint={isOldPage(error) ? undefined : text.failedHint}
        actions={
          <Button size="small" onPress={() => location.reload()}>
            {text.reload}
          </Button>
        }
      />
    );
  }
}
