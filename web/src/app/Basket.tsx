// Traces that were put aside for comparing: at the bottom right on every page, until they are compared or cleared.

import { X } from 'lucide-react';
import { commandsOf, useCommands } from '../core/commands.ts';
import { go } from '../core/navigation.ts';
import { placeOfCompare } from '../core/places.ts';
import { prefer, toggleInBasket, usePreferences } from '../core/preferences.ts';
import { Button } from '../ui/Button/Button.tsx';
import { Chip } from '../ui/Chip/Chip.tsx';
import type { Route } from '../url/index.ts';
import css from './Basket.module.css';
import { SHELL_COMMANDS } from './commands.ts';
import { text } from './text.ts';

export function Basket({ route }: { route: Route }) {
  const { basket } = usePreferences();
  const compare = () => go(placeOfCompare(basket[0] ?? '', basket[1] ?? ''));
  useCommands(commandsOf(SHELL_COMMANDS, { compare }));
  if (basket.length === 0 || route.page === 'compare') return null;
  return (
    <section className={css['basket']} aria-label={text.basket(basket.length)}>
      <span className={css['title']}>{text.basket(basket.length)}</span>
      {basket.slice(0, 4).map((id) => (
        <Chip key={id} label={{ text: id.slice(0, 8) }} onRemove={() => toggleInBasket(id)} />
      ))}
      <Button size="small" variant="primary" onPress={compare}>
        {text.basketCompare}
      </Button>
      <Button size="small" variant="quiet" icon={X} onPress={() => prefer({ basket: [] })}>
        {text.basketClear}
      </Button>
    </section>
  );
}
