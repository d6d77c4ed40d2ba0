// Find in the trace: words, or a query; how many match, and the way from one to the next.

import { ChevronDown, ChevronUp } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { commandsOf, useCommands } from '../../../core/commands.ts';
import { formatCountExact } from '../../../format/number.ts';
import type { RowIndex } from '../../../model/columns.ts';
import { Checkbox } from '../../../ui/Checkbox/Checkbox.tsx';
import { IconButton } from '../../../ui/IconButton/IconButton.tsx';
import { announce } from '../../../ui/LiveRegion/LiveRegion.tsx';
import { SearchField } from '../../../ui/SearchField/SearchField.tsx';
import { TRACE_COMMANDS } from '../commands.ts';
import { update, useTracePage } from '../state/page.tsx';
import type { FindState } from '../state/useFind.ts';
import { useSteps } from '../useSteps.ts';
import css from './Toolbar.module.css';
import { text } from './text.ts';

function placeText({ matches, isLoading }: FindState, row: RowIndex): string | undefined {
  if (matches === null) return isLoading ? text.looking : undefined;
  const ordinal = row < 0 ? 0 : matches.ordinal(row);
  const place = text.matchOf(formatCountExact(ordinal), formatCountExact(matches.count));
  return isLoading ? text.lookingStill(place) : place;
}

export function FindField() {
  const { state, find, selection } = useTracePage();
  const { matches, error } = find;
  const field = useRef<HTMLInputElement>(null);
  const steps = useSteps();
  useCommands(
    commandsOf(TRACE_COMMANDS, {
      'trace.find': () => {
        field.current?.focus();
        field.current?.select();
      },
    }),
  );
  const said = error ?? (matches === null ? '' : text.matches(matches.count));
  useEffect(() => {
    if (said === '') return;
    const timer = setTimeout(() => announce(said), 600);
    return () => clearTimeout(timer);
  }, [said]);
  const isOn = state.find !== '';
  return (
    <search className={css['find']}>
      <SearchField
        ref={field}
        label={text.find}
        placeholder={text.findShort}
        value={state.find}
        onChange={(next) => update({ find: next, ...(next === '' && { onlyMatches: false }) })}
        onEnter={(isBackwards) => steps.match(isBackwards ? -1 : 1)}
        end={isOn ? placeText(find, selection.row) : undefined}
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
