// Which commands have a key in common where both would act. Keys of different pages never meet; those of the shell,
// which are registered on this page too, meet all.

import type { KnownCommand } from '../../core/commands.ts';

export type Bound = {
  readonly command: KnownCommand;
  readonly keys: readonly string[];
  readonly isEverywhere: boolean;
};

/** The same key, or the first stroke of a sequence. */
function meet(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b} `) || b.startsWith(`${a} `);
}

/** By the id of a command, the others that it is in conflict with. */
export function conflictsOf(bound: readonly Bound[]): ReadonlyMap<string, readonly KnownCommand[]> {
  const found = new Map<string, KnownCommand[]>();
  for (const one of bound) {
    const others = bound.filter(
      (other) =>
        other.command.id !== one.command.id &&
        (one.isEverywhere || other.isEverywhere || one.command.group === other.command.group) &&
        one.keys.some((key) => other.keys.some((otherKey) => meet(key, otherKey))),
    );
    if (others.length > 0)
      found.set(
        one.command.id,
        others.map(({ command }) => command),
      );
  }
  return found;
}
