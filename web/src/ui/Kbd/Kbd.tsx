// A key or a key sequence as it is written in the registry: `Mod+K`, `g h`, `Shift+ArrowRight`.

import { Fragment } from 'react';
import css from './Kbd.module.css';

const isApple = /mac|iphone|ipad/i.test(globalThis.navigator?.platform ?? '');

const names: Record<string, string> = {
  Mod: isApple ? '⌘' : 'Ctrl',
  Alt: isApple ? '⌥' : 'Alt',
  Shift: isApple ? '⇧' : 'Shift',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  Enter: '↵',
};

function keyName(key: string): string {
  return names[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}

export type KbdProps = { keys: string };

export function Kbd({ keys }: KbdProps) {
  const strokes = keys.split(' ').map((stroke) => (stroke === '+' ? ['+'] : stroke.split('+')));
  return (
    <span className={css['keys']}>
      {strokes.map((stroke, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a sequence has no other name
        <Fragment key={i}>
          {stroke.map((key) => (
            <kbd key={key} className={css['key']}>
              {keyName(key)}
            </kbd>
          ))}
        </Fragment>
      ))}
    </span>
  );
}
