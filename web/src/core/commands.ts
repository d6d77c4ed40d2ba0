// Every command of the app: the only way to bind a key or to put something into the palette.
//
// A page registers its commands while it is shown. Keys are written as `Mod+K`, `Shift+F`, `g h`, `?`; `Mod` is Ctrl or
// ⌘. No key acts while somebody types; single letters can be switched off (WCAG 2.1.4).

import { useEffect, useRef, useSyncExternalStore } from 'react';
import { presetKeys } from './keyPresets.ts';
import { preferences } from './preferences.ts';

export type Command = {
  readonly id: string;
  readonly title: string;
  /** The heading on the sheet of keys. */
  readonly group: string;
  readonly keys: readonly string[];
  readonly run: () => void;
  /** Whether it acts in text fields and dialogs, too. */
  readonly inFields?: boolean;
  /** Not in the palette: it makes sense only by key, such as a step to the next row. */
  readonly isKeyOnly?: boolean;
  /** Asked at each key: false leaves the key to whoever has the focus. */
  readonly when?: () => boolean;
};

/** What a command is, without what it does: that would keep a page's data, a whole trace, after the page was left. */
export type KnownCommand = Omit<Command, 'run' | 'when'>;

/** What a command is called and how it is reached: known before its page is shown. */
export type CommandSpec = Omit<Command, 'id' | 'run' | 'when'>;
export type CommandSpecs<Id extends string = string> = Readonly<Record<Id, CommandSpec>>;

const CHORD_MS = 1_200;

const registered = new Map<symbol, readonly Command[]>();
const listeners = new Set<() => void>();
let all: readonly Command[] = [];
/** All that were declared or registered since the page was loaded, by their id. */
const seen = new Map<string, KnownCommand>();
let known: readonly KnownCommand[] = [];
let chord: { key: string; at: number } | null = null;

function changed(): void {
  const byId = new Map<string, Command>();
  // What was registered last stands in front.
  for (const commands of registered.values()) for (const command of commands) byId.set(command.id, command);
  all = [...byId.values()];
  for (const command of all) seen.set(command.id, factsOf(command));
  known = [...seen.values()];
  for (const listener of listeners) listener();
}

function factsOf({ id, title, group, keys, inFields = false, isKeyOnly = false }: Command): KnownCommand {
  return { id, title, group, keys, inFields, isKeyOnly };
}

export function register(commands: readonly Command[]): () => void {
  const token = Symbol('commands');
  registered.set(token, commands);
  changed();
  return () => {
    registered.delete(token);
    changed();
  };
}

/** Those of the specs that something does here. */
export function commandsOf<Id extends string>(
  specs: CommandSpecs<Id>,
  runs: Readonly<Partial<Record<NoInfer<Id>, () => void>>>,
  when?: () => boolean,
): Command[] {
  const given = Object.entries(runs) as [Id, () => void][];
  return given.map(([id, run]) => ({ ...specs[id], id, run, ...(when && { when }) }));
}

/** Makes commands known whose pages were not shown yet. */
export function declareCommands(specs: CommandSpecs): void {
  for (const [id, spec] of Object.entries(specs)) {
    if (!seen.has(id)) seen.set(id, { ...spec, id });
  }
  changed();
}

/** Registers commands while a component is shown; the latest ones run, whatever they close over. */
export function useCommands(commands: readonly Command[]): void {
  const latest = useRef(commands);
  latest.current = commands;
  const shape = commands.map((command) => `${command.id}|${command.title}|${command.keys.join(',')}`).join('\n');
  // biome-ignore lint/correctness/useExhaustiveDependencies: what a command runs is looked up when it runs
  useEffect(() => {
    const live = latest.current.map((command) => {
      // By the id alone: who held on to the command would keep what the component showed at first.
      const { id } = command;
      return {
        ...command,
        run: () => latest.current.find((other) => other.id === id)?.run(),
        when: () => latest.current.find((other) => other.id === id)?.when?.() ?? true,
      };
    });
    return register(live);
  }, [shape]);
}

export function useAllCommands(): readonly Command[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => all,
  );
}

/** Those of other pages, too: for choosing keys, not for running. */
export function useKnownCommands(): readonly KnownCommand[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => known,
  );
}

/** The keys of a command as the reader has them. */
export function keysOf(command: KnownCommand): readonly string[] {
  const { keys, keyPreset } = preferences();
  return keys[command.id] ?? presetKeys(keyPreset, command.id) ?? command.keys;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  const input = target.closest(
    'input, textarea, select, [role="textbox"], [role="menu"], [role="listbox"], [role="dialog"], [role="alertdialog"]',
  );
  return input !== null && !(input instanceof HTMLInputElement && ['checkbox', 'radio'].includes(input.type));
}

/** `Mod+Shift+P`, `w`, `?`: what was pressed. */
export function keyOf(event: KeyboardEvent): string {
  const mod = event.ctrlKey || event.metaKey;
  const isLetter = /^[a-z]$/i.test(event.key);
  const key = isLetter ? event.key.toLowerCase() : event.key === ' ' ? 'Space' : event.key;
  // Shift is part of what a sign like `?` is; of letters, arrows and names it is a key of its own.
  const named = isLetter || event.key.length > 1 || /^\d$/.test(event.key);
  const shift = event.shiftKey && (named || mod);
  return `${mod ? 'Mod+' : ''}${event.altKey ? 'Alt+' : ''}${shift ? 'Shift+' : ''}${mod && isLetter ? key.toUpperCase() : key}`;
}

function matches(binding: string, pressed: string, before: string | null): boolean {
  const parts = binding.split(' ');
  if (parts.length === 2) return before === parts[0] && pressed === parts[1];
  return binding === pressed;
}

/** Runs the command of a key; true when there was one. */
export function handleKey(event: KeyboardEvent, now = Date.now()): boolean {
  if (event.defaultPrevented || event.isComposing) return false;
  const pressed = keyOf(event);
  const before = chord !== null && now - chord.at < CHORD_MS ? chord.key : null;
  chord = null;
  const typing = isTyping(event.target);
  // What is typed is text, also for commands that act in fields: `/` stands in paths.
  // A letter with Shift is a character as well.
  const isCharacter = pressed.replace(/^Shift\+/, '').length === 1;
  if (isCharacter && (typing || !preferences().singleKeys)) return false;
  const usable = all.filter((command) => (!typing || command.inFields === true) && (command.when?.() ?? true));
  const chosen =
    (before === null
      ? undefined
      : usable.findLast((c) => keysOf(c).some((k) => k.includes(' ') && matches(k, pressed, before)))) ??
    usable.findLast((command) => keysOf(command).some((key) => !key.includes(' ') && matches(key, pressed, before)));
  if (chosen) {
    event.preventDefault();
    chosen.run();
    return true;
  }
  if (!typing && usable.some((command) => keysOf(command).some((key) => key.startsWith(`${pressed} `))))
    chord = { key: pressed, at: now };
  return false;
}
