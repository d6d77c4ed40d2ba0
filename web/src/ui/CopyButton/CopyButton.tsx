// Copies a value; the icon turns into a tick for a moment and "Copied" is announced.

import { Check, Copy, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from '../Button/Button.tsx';
import { IconButton } from '../IconButton/IconButton.tsx';
import { copyText } from './copyText.ts';
import { text } from './text.ts';

export type CopyButtonProps = {
  /** The value, or how to get it when pressed. */
  value: string | (() => string);
  /** What is copied: "Copy trace id". */
  label?: string | undefined;
  keys?: string | undefined;
  /** With the label as text instead of the icon alone. */
  isWide?: boolean | undefined;
  variant?: 'plain' | 'quiet' | undefined;
  size?: 'normal' | 'small' | undefined;
};

export function CopyButton({
  value,
  label = text.copy,
  keys,
  isWide = false,
  variant = 'quiet',
  size = 'small',
}: CopyButtonProps) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 1500);
    return () => clearTimeout(timer);
  }, [state]);
  const icon = { idle: Copy, copied: Check, failed: TriangleAlert }[state];
  const name = { idle: label, copied: text.copied, failed: text.failed }[state];
  async function copy() {
    const isDone = await copyText(typeof value === 'string' ? value : value());
    setState(isDone ? 'copied' : 'failed');
  }
  if (isWide) {
    return (
      <Button icon={icon} variant={variant} size={size} onPress={copy}>
        {name}
      </Button>
    );
  }
  return <IconButton icon={icon} label={name} keys={keys} variant={variant} size={size} onPress={copy} />;
}
