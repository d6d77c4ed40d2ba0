// Takes the next key, or two in a row, for a command. Escape gives up; Tab and leaving do, too.

import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { keyOf } from '../../core/commands.ts';
import { Kbd } from '../../ui/Kbd/Kbd.tsx';
import css from './Settings.module.css';
import { text } from './text.ts';

/** How long a second key of a sequence is waited for. */
const SECOND_MS = 900;

const MODIFIERS = ['Control', 'Shift', 'Alt', 'Meta', 'AltGraph', 'CapsLock'];

export function KeyCapture({ title, onDone }: { title: string; onDone: (keys: string | null) => void }) {
  const [first, setFirst] = useState<string | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  useEffect(() => {
    if (first === null) return;
    const timer = setTimeout(() => onDone(first), SECOND_MS);
    return () => clearTimeout(timer);
  }, [first, onDone]);
  const onKeyDown = (event: KeyboardEvent<HTMLButtonElement>) => {
    if (event.key === 'Tab') return;
    event.preventDefault();
    event.stopPropagation();
    if (MODIFIERS.includes(event.key)) return;
    if (event.key === 'Escape') return onDone(null);
    const pressed = keyOf(event.nativeEvent);
    if (first !== null) onDone(`${first} ${pressed}`);
    else if (pressed.startsWith('Mod+')) onDone(pressed);
    else setFirst(pressed);
  };
  return (
    <button
      ref={button}
      type="button"
      className={css['capture']}
      aria-label={text.pressKeysFor(title)}
      onKeyDown={onKeyDown}
      onBlur={() => onDone(first)}
    >
      {first === null ? text.pressKeys : <Kbd keys={first} />}
    </button>
  );
}
