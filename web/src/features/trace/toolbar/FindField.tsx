// Find in the trace: words in names and services, or a query; how many match, and the way from one to the next.

import { ChevronDown, ChevronUp } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useCommands } from '../../../core/commands.ts';
import { formatCountExact } from '../../../format/number.ts';
import { Checkbox } from '../../../ui/Checkbox/Checkbox.tsx';
import { IconButton } from '../../../ui/IconButton/IconButton.tsx';
import { announce } from '../../../ui/LiveRegion/LiveRegion.tsx';
import { SearchField } from '../../../ui/SearchField/SearchField.tsx';
import { text as keysText } from '../keysText.ts';
import { update, useTracePage } from '../state/page.tsx';
import { useSteps } from '../useSteps.ts';
import css from './Toolbar.module.css';
import { text } from './text.ts';

export function FindField() {
  const { state, find, selection } = useTracePage();
  const { matches, error, isLoading } = find;
  const field = useRef<HTMLInputElement>(null);
  const steps = useSteps();
  useCommands([
    {
      id: 'trace.find',
      title: keysText.find,
      group: keysText.groupTrace,
      keys: ['Mod+F'],
      run: () => {
        field.current?.focus();
        field.current?.select();
      },
    },
  ]);
  const said = error ?? (matches === null ? '' : text.matches(matches.count));
  useEffect(() => {
    if (said === '') return;
    const timer = setTimeout(() => announce(said), 600);
    return () => clearTimeout(timer);
  }, [said]);
  const isOn = state.find !== '';
  const end = isLoading
    ? text.looking
    : matches === null || !isOn
      ? undefined
      : text.matchOf(
          formatCountExact(selection.row < 0 ? 0 : matches.ordinal(selection.row)),
          formatCountExact(matches.count),
        );
  return (
    <search className={css['find']}>
      <SearchField
        ref={field}
        label={text.find}
        placeholder={text.findShort}
        value={state.find}
        onChange={(next) => update({ find: next, ...(next === '' && { onlyMatches: false }) })}
        onEnter={(isBackwards) => steps.match(isBackwards ? -1 : 1)}
        end={end}
        isInvalid={error !== null}
        isMono={find.query !== null}
        className={css['findBox']}
      />
      {isOn && (
        <>
          <IconButton
            icon={ChevronUp}
            size="small"
            label={text.previous}
            keys="Shift+n"
            isDisabled={!matches?.count}
            onPress={() => steps.match(-1)}
          />
          <IconButton
            icon={ChevronDown}
            size="small"
            label={text.next}
            keys="n"
            isDisabled={!matches?.count}
            onPress={() => steps.match(1)}
          />
          <Checkbox
            label={text.only}
            isSelected={state.onlyMatches}
            onChange={(onlyMatches) => update({ onlyMatches }, 'push')}
          />
        </>
      )}
      {error !== null && <span className={css['error']}>{error}</span>}
    </search>
  );
}
