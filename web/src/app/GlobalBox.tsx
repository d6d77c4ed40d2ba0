// One box that leads anywhere, in the top bar and by key. What a text may mean is in `goals.ts`.

import { useQuery } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { getJson } from '../api/client.ts';
import { keysOf, useAllCommands, useCommands } from '../core/commands.ts';
import { go } from '../core/navigation.ts';
import { usePreferences } from '../core/preferences.ts';
import { Kbd } from '../ui/Kbd/Kbd.tsx';
import type { TimeRange } from '../url/index.ts';
import css from './GlobalBox.module.css';
import type { Goal } from './goals.ts';
import { text } from './text.ts';

const LIST_ID = 'global-goals';

function useServices(isOpen: boolean): readonly string[] {
  const { data } = useQuery({
    queryKey: ['services'],
    queryFn: ({ signal }) => getJson<{ services: string[] }>('services', {}, signal),
    enabled: isOpen,
  });
  return data?.services ?? [];
}

type Meaning = typeof import('./goals.ts');

/** Fetched behind the first view of a page, which does not wait for it. */
function useMeaning(): Meaning | null {
  const [meaning, setMeaning] = useState<Meaning | null>(null);
  useEffect(() => {
    let isHere = true;
    import('./goals.ts').then(
      (loaded) => isHere && setMeaning(loaded),
      () => undefined,
    );
    return () => {
      isHere = false;
    };
  }, []);
  return meaning;
}

function run(goal: Goal, onFiles: GlobalBoxProps['onFiles']): void {
  if ('place' in goal.go) go(goal.go.place);
  else if ('json' in goal.go) onFiles?.([new File([goal.go.json], text.pasted)]);
  else goal.go.command.run();
}

function GoalRow({ goal, isActive, onRun }: { goal: Goal; isActive: boolean; onRun: () => void }) {
  const keys = 'command' in goal.go ? keysOf(goal.go.command)[0] : undefined;
  return (
    // Options of a list box are chosen by the field that owns the focus; a pointer chooses them here.
    <div
      id={`goal-${goal.id}`}
      role="option"
      tabIndex={-1}
      aria-selected={isActive}
      className={css['goal']}
      onPointerDown={(event) => {
        event.preventDefault();
        onRun();
      }}
    >
      <span className={css['goalTitle']}>{goal.title}</span>
      <span className={css['goalDetail']}>{goal.detail}</span>
      {keys !== undefined && <Kbd keys={keys} />}
    </div>
  );
}

/** What is shown of a pasted document: a field with all of it would be slow. */
const PASTED_CHARS = 200;

export type GlobalBoxProps = {
  /** What searches and services are looked at over; null: over their own. */
  range: TimeRange | null;
  /** Null: files are not opened here. */
  onFiles: ((files: File[]) => void) | null;
};

export function GlobalBox({ range, onFiles }: GlobalBoxProps) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  /** With its line ends, which a field of one line takes away. */
  const [pasted, setPasted] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const { recent } = usePreferences();
  const commands = useAllCommands();
  const services = useServices(isOpen);
  const meaning = useMeaning();
  const known = { commands, services, recent, range, takesFiles: onFiles !== null };
  const goals = isOpen && meaning !== null ? meaning.goalsOf(pasted || typed, known) : [];
  const active = goals[Math.min(at, goals.length - 1)];
  const focus = (start: string) => {
    setTyped(start);
    setPasted('');
    input.current?.focus();
  };
  useCommands([
    {
      id: 'box',
      title: text.globalBox,
      group: text.groupApp,
      keys: ['/', 'Mod+K'],
      inFields: true,
      run: () => focus(''),
    },
    {
      id: 'palette',
      title: text.groupCommands,
      group: text.groupApp,
      keys: ['Mod+Shift+P'],
      inFields: true,
      run: () => focus('>'),
    },
  ]);
  const close = () => {
    setOpen(false);
    setTyped('');
    setPasted('');
    setAt(0);
    input.current?.blur();
  };
  const take = (goal: Goal | undefined) => {
    if (!goal) return;
    close();
    run(goal, onFiles);
  };
  return (
    <search className={css['box']}>
      <Search aria-hidden size={14} className={css['icon']} />
      <input
        ref={input}
        className={css['input']}
        role="combobox"
        aria-label={text.globalBox}
        aria-expanded={isOpen}
        aria-controls={LIST_ID}
        aria-autocomplete="list"
        aria-activedescendant={active ? `goal-${active.id}` : undefined}
        placeholder={text.globalPlaceholder}
        spellCheck={false}
        autoComplete="off"
        value={typed}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onPaste={(event) => {
          const given = event.clipboardData.getData('text');
          if (onFiles === null || !meaning?.isJson(given)) return;
          event.preventDefault();
          setTyped(given.slice(0, PASTED_CHARS));
          setPasted(given);
          setAt(0);
        }}
        onChange={(event) => {
          setTyped(event.target.value);
          setPasted('');
          setOpen(true);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(at + 1, goals.length - 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
          else if (event.key === 'Enter') take(active);
          else if (event.key === 'Escape') close();
          else return;
          event.preventDefault();
        }}
      />
      {typed === '' && !isOpen && (
        <span className={css['hint']}>
          <Kbd keys="/" />
        </span>
      )}
      <div id={LIST_ID} role="listbox" aria-label={text.globalBox} className={css['list']} hidden={!isOpen}>
        {goals.map((goal) => (
          <GoalRow key={goal.id} goal={goal} isActive={goal === active} onRun={() => take(goal)} />
        ))}
        {isOpen && typed !== '' && meaning !== null && goals.length === 0 && (
          <div role="option" tabIndex={-1} aria-selected={false} aria-disabled className={css['nothing']}>
            {text.globalNothing}
          </div>
        )}
      </div>
    </search>
  );
}
